"""What a sweep needs of a job: how its world is made, how it runs, and what must hold in the end.

A later job plugs in by one more `Story`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ccsync.errors import CcsyncError
from ccsync.kibo.customers import to_customer
from ccsync.mapping.addresses import Rejection
from ccsync.mapping.contact import to_contact
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import FAST, Crash, Shop
from tests.live import LiveShop

UNSUBSCRIBER, LEAVER, LATE_OPT_IN, LATE_OPT_OUT = (
    f"{name}@example.com" for name in ("unsubscriber", "leaver", "late.opt.in", "late.opt.out")
)


@dataclass(frozen=True, slots=True)
class Story:
    """One job's sweep: `prepare` makes the world, `run` runs the job once, `check` asserts the promises.

    `words` are the command that a real process runs. A sweep that silently shrinks below `least_boundaries`,
    `least_deaths` or `least_requests` has failed.
    """

    name: str
    prepare: Callable[[Shop], None]
    run: Callable[[Shop], object]
    check: Callable[[Shop], None]
    customers: int = 20
    words: tuple[str, ...] = ()
    least_boundaries: int = 55
    least_deaths: int = 24
    least_requests: int = 12
    config: str = ""

    def world(self, folder: Path) -> Shop:
        """A new shop, not entered yet."""
        return Shop(folder, SandboxSettings(customers=self.customers, seed=11, import_seconds=1.0), self.config)

    def live_world(self, folder: Path) -> LiveShop:
        """The same for real processes; there is a wire once it is begun."""
        return LiveShop(folder, SandboxSettings(customers=self.customers, seed=11), FAST + self.config, has_wire=False)


def run_until_done(story: Story, shop: Shop, most: int = 3) -> None:
    """Run the job as cron would, again and again, until a run ends well. Errors of ours are part of life."""
    for _ in range(most):
        try:
            story.run(shop)
        except CcsyncError:
            shop.later(hours=13)  # past any wait a vendor asked for, and past midnight in the end
        else:
            return
    story.run(shop)


def prepare_export(shop: Shop) -> None:
    """A small store with everybody the sweeps act on."""
    for address in (UNSUBSCRIBER, LEAVER, LATE_OPT_OUT):
        shop.box.kibo.add_account(emailAddress=address, firstName="Pat", lastName="Doe", acceptsMarketing=True)
    shop.box.kibo.add_account(emailAddress=LATE_OPT_IN, firstName="Pat", acceptsMarketing=False)


def run_export(shop: Shop) -> object:
    """One export; stopping it is the business of the sweep."""
    return shop.export()


def check_export(shop: Shop) -> None:
    """Nobody who unsubscribed is mailed, nobody who consents is missing, nothing forbidden was called."""
    expected = set()
    unsubscribed = set()
    for account in shop.customers():
        customer = to_customer(account)
        assert customer is not None
        if customer.email is None or isinstance(to_contact(customer, shop.config.mapping), Rejection):
            continue
        contact = shop.box.cc.contact(customer.email)
        if contact and contact["email_address"]["permission_to_send"] == "unsubscribed":
            unsubscribed.add(customer.email.lower())
        elif customer.accepts_marketing and customer.account_type != "B2B":
            expected.add(customer.email.lower())
    members = shop.members()
    assert not members & unsubscribed
    assert expected - members <= {LEAVER}, "somebody who consents is missing"
    # An opt-out in the store between reading and sending is for flush-events to act on.
    assert members - expected <= {LATE_OPT_OUT}
    assert not shop.box.cc.forbidden_calls


EXPORT = Story("export", prepare_export, run_export, check_export, words=("export", "--yes"))

__all__ = ["EXPORT", "Crash", "Story", "run_until_done"]
