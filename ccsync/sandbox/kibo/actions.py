"""What shoppers and staff do in the store, and what a test makes the store do wrong.

Redaction: https://docs.kibocommerce.com/developer-guides/gdpr; what it writes into an account is not described.
"""

from ccsync.sandbox.acts import Act, Acts
from ccsync.sandbox.kibo.accounts import Account, Accounts
from ccsync.sandbox.kibo.audit import AuditLog
from ccsync.sandbox.kibo.events import EventStore
from ccsync.sandbox.population.people import Population
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.troubles import PageFaults, Refusals
from ccsync.sandbox.wire import Clock

OPERATIONS = frozenset({"sign-in", "tenant", "events", "list", "search", "read", "put", "sub-resource"})
"""What can be refused; a search is a list filtered by `emailAddress`, and its record is that address."""
_REDACTED = ("userName", "firstName", "lastName", "companyOrOrganization", "externalId", "taxId")

SECTIONS = frozenset({"contacts", "attributes", "segments"})
"""What hangs below an account and is edited by itself."""


class Actions:
    """The store from inside. `total_off` and `page_faults` spoil its listings, `refusals` its other answers."""

    def __init__(
        self, settings: SandboxSettings, clock: Clock, population: Population, acts: Acts | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._acts = Acts() if acts is None else acts
        self._accounts = Accounts(population, clock)
        self.events = EventStore(settings, clock)
        self.audit = AuditLog(settings, clock)
        self.refusals = Refusals(clock, OPERATIONS)
        self.page_faults = PageFaults()
        self.total_off = settings.total_off
        self.account = self._accounts.get
        self.account_ids = self._accounts.ids
        self.find_by_email = self._accounts.find_by_email

    def opted_in_count(self) -> int:
        """How many accounts accept marketing."""
        return len(self._accounts.opted_in())

    # shoppers, or staff for them

    def add_account(self, *, actor: str = "person", **fields: object) -> int:
        """Create an account; its id."""
        account_id = self._accounts.add(fields)
        self._note(actor, "sign-up", account_id, self._accounts.accepts_marketing(account_id))
        self.events.record("customeraccount.created", account_id)
        return account_id

    def add_b2b_account(self, address: str, **fields: object) -> int:
        """Create a business account. The list shows its `accountType`, even if somebody else has the address."""
        return self.add_account(actor="staff", **{"emailAddress": address, "accountType": "B2B"} | fields)

    def change_b2b_user(self, account_id: int) -> None:
        """Staff changes a user of a business account, on whom its consent sits; the account stays as it is."""
        if self._settings.b2b_users_make_events:
            self.events.record("customeraccount.updated", account_id)

    def update_account(self, account_id: int, *, actor: str = "person", **fields: object) -> None:
        """Change an account in the store."""
        before = self._accounts.get(account_id)
        after = self._accounts.update(account_id, fields)
        self._note_change(actor, before, after)
        if fields.keys() - SECTIONS or self._settings.part_edits_make_events:
            self.events.record("customeraccount.updated", account_id)
        self.events.record_segments(account_id, before["segments"], after["segments"])

    def opt_in(self, account_id: int, actor: str = "person") -> None:
        """Accept marketing."""
        self.update_account(account_id, actor=actor, acceptsMarketing=True)

    def opt_out(self, account_id: int, actor: str = "person") -> None:
        """Stop accepting marketing."""
        self.update_account(account_id, actor=actor, acceptsMarketing=False)

    def change_address(self, account_id: int, address: str | None, actor: str = "person") -> None:
        """Change the address, perhaps to one that another account has or had."""
        self.update_account(account_id, actor=actor, emailAddress=address, userName=address)

    def hand_over_address(self, giver: int, taker: int, new_address: str) -> None:
        """One account moves to a new address, and another takes its old one."""
        address = self._accounts.address(giver)
        self.change_address(giver, new_address)
        self.change_address(taker, address)

    def delete_account(self, account_id: int, actor: str = "person") -> None:
        """Delete an account."""
        address = self._accounts.address(account_id)
        self._accounts.delete(account_id)
        self._acts.add(Act(self._clock(), "kibo", actor, "delete", address, account_id))
        self.events.record("customeraccount.deleted", account_id)

    def redact_account(
        self,
        account_id: int,
        placeholder: str | None = None,
        *,
        accepts: bool | None = None,
        makes_event: bool | None = None,
    ) -> None:
        """Staff erases a person by the redaction API: the account stays, nothing in it says whose it was.

        `placeholder` stands where the address was, and `makes_event` says whether an event follows; without them it is
        as the settings say. `accepts` is what acceptsMarketing becomes; without it, it stays.
        """
        placeholder = self._settings.redaction_writes if placeholder is None else placeholder
        address = self._accounts.address(account_id)
        empty: Account = {"emailAddress": placeholder, "contacts": [], "attributes": [], "notes": []}
        flag: Account = {} if accepts is None else {"acceptsMarketing": accepts}
        self._accounts.update(account_id, empty | dict.fromkeys(_REDACTED, placeholder) | flag)
        self._acts.add(Act(self._clock(), "kibo", "staff", "redact", address, account_id))
        if self._settings.redaction_makes_event if makes_event is None else makes_event:
            self.events.record("customeraccount.updated", account_id)

    # a test

    def add_event(self, topic: str | None, entity_id: int | str | None, **fields: object) -> str:
        """Add an event that no change made, as odd as `fields` (`isTest`, `auditInfo`, ...); its id."""
        return self.events.add(topic, entity_id, **fields)

    def repeat_event(self, event_id: str) -> None:
        """Show an event again, under the same id."""
        self.events.repeat(event_id)

    def refuse(
        self,
        operation: str | None = None,
        status: int = 500,
        *,
        record: object = None,
        seconds: float | None = None,
        every: int = 1,
        retry_after: int | None = None,
    ) -> None:
        """Refuse an operation of `OPERATIONS`, or all, or only those about one account's id or one address."""
        self.refusals.add(operation, status, record=record, seconds=seconds, every=every, retry_after=retry_after)

    def relent(self, operation: str | None = None) -> None:
        """End the refusals and, without an operation, everything that spoils listings."""
        self.refusals.end(operation)
        if operation is None:
            self.page_faults.clear()
            self.total_off = 0

    # inside

    def _note_change(self, actor: str, before: Account, after: Account) -> None:
        """Consent, address and the rest are acts of their own."""
        self.audit.record(actor, before, after)
        account_id = int(str(after["id"]))
        changed = {name for name in after if after[name] != before.get(name)} - {"auditInfo"}
        if "acceptsMarketing" in changed:
            self._note(actor, "opt-in" if after["acceptsMarketing"] is True else "opt-out", account_id)
        if "emailAddress" in changed:
            self._note(actor, "change-address", account_id, before["emailAddress"])
        if rest := changed - {"acceptsMarketing", "emailAddress", "userName"}:
            self._note(actor, "change", account_id, tuple(sorted(rest)))

    def _note(self, actor: str, kind: str, account_id: int, value: object = None) -> None:
        address = self._accounts.address(account_id)
        self._acts.add(Act(self._clock(), "kibo", actor, kind, address, account_id, value=value))
