"""What every job works with, and what it reports on the way."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ccsync.config.schema import Config
from ccsync.constant_contact.client import ConstantContact
from ccsync.kibo.client import Kibo
from ccsync.models import Customer
from ccsync.run.access import LedgerGate
from ccsync.state import Store, people
from ccsync.transport.calls import Clock


@dataclass(frozen=True, slots=True)
class Progress:
    """A progress report: what is being done, and how far it is. `total` is `None` while unknown."""

    phase: str
    done: int = 0
    total: int | None = None
    sent: int = 0
    calls_today: int = 0
    calls_per_day: int = 0


@dataclass(slots=True)
class Context:
    """A run's tools. `store` is what the run writes: in a dry run a copy, thrown away."""

    store: Store
    kibo: Kibo
    constant_contact: ConstantContact
    gate: LedgerGate
    config: Config
    list_id: str
    clock: Clock
    now: Callable[[], datetime]
    report: Callable[[Progress], None] = lambda _: None
    run_id: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    """Sentences for the run's message and summary."""
    notices: dict[str, str] = field(default_factory=dict)
    """Sentences that ask a person to do something, by what they are about: under cron each is said once a day."""
    left_behind: set[bytes] = field(default_factory=set)
    """Whose listed address an account has left in this run's reading (`from_kibo.new_owners`)."""
    is_dry_run: bool = False
    patience_seconds: float = 180.0
    """How long the run may still wait for bulk jobs in total; unfinished ones are left to the next run."""
    is_patient: bool = False
    """A person is waiting for this run: the waiting time restarts whenever a bulk job ends."""

    _key: Callable[[str], bytes] | None = field(default=None, init=False, repr=False)

    def person_of(self, address: str) -> bytes:
        """Whose address it is."""
        self._key = self._key or people.person_key(self.store)
        return self._key(address)

    def whose(self, customer: Customer) -> bytes | None:
        """Whose address a customer account has; `None` where it has none."""
        return None if customer.email is None else self.person_of(customer.email)

    def show(self, phase: str, done: int = 0, total: int | None = None, sent: int = 0) -> None:
        """Report progress."""
        limits = self.config.limits
        self.report(Progress(phase, done, total, sent, self.gate.calls_today(), limits.requests_per_day))
