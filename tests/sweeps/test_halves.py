"""A2: vendors that half work, over two days of cron: consent gets through, and nothing is concluded or blamed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ccsync.errors import CcsyncError
from ccsync.from_constant_contact import departures, members
from tests.harness import Shop
from tests.jobs.polling import accepts, join, small_shop
from tests.to_constant_contact.tags.tagging import TAGS, in_segments, tags_of

STAYS = [f"stays{number}@example.com" for number in range(8)]
OPTS_OUT, UNSUBSCRIBES, LEAVES, GAINS, NEW = (
    f"{name}@example.com" for name in ("opts.out", "unsubscribes", "leaves", "gains", "new")
)
VIP = "VIP customers"
HOUR, DAY = 3_600.0, 86_400.0
USUAL_CYCLES, RARE_CYCLES = 14, 6
"""Seven hours of cron every 30 minutes, then two days with a run every eight hours."""
Begin = Callable[[Shop], object]


@dataclass(frozen=True, slots=True)
class Half:
    """A trouble: how it begins, and after how many cycles at most consent is through, and everything is."""

    begin: Begin
    consent: int = 1
    rest: int = 2
    exports: bool = False
    """Does a person run an export, too?"""


def hangs(kind: str, seconds: float | None) -> Begin:
    """The next job of a kind takes so long, without an effect before; `None`: it never ends."""
    return lambda shop: shop.box.cc.jobs.add(kind, seconds=seconds)


def refuses(vendor: str, status: int) -> Begin:
    """A vendor turns everything down for two hours."""
    return lambda shop: getattr(shop.box, vendor).refuse(None, status, seconds=2 * HOUR)


def set_total(shop: Shop) -> None:
    shop.box.kibo.total_off = 1


def fill_plan(shop: Shop) -> None:
    shop.box.cc.plan.limit = 1


SPANS = {"an hour": HOUR, "a day": DAY, "for ever": None}
# A job of people who are added ends in its own time, or is given up after six hours; their consent waits for nothing.
LIMITS = {"import": (1, 14), "export": (1, 2), "removal": (2, 2), "tagging": (1, 14)}
HALVES = {
    **{
        f"{kind} hangs {span}": Half(hangs(kind, seconds), *limits)
        for kind, limits in LIMITS.items()
        for span, seconds in SPANS.items()
    },
    "short page of members": Half(lambda shop: shop.box.cc.page_faults.add("short", nth=1)),
    "short page of accounts": Half(lambda shop: shop.box.kibo.page_faults.add("short", nth=1), exports=True),
    "total one too high": Half(set_total, exports=True),
    **{
        f"{vendor} refuses all with {status}": Half(refuses(vendor, status), consent=6, rest=6)
        for vendor in ("kibo", "cc")
        for status in (400, 503)
    },
    "plan is full": Half(fill_plan, rest=USUAL_CYCLES + RARE_CYCLES),
}
QUICK = ("import hangs for ever", "tagging hangs a day", "removal hangs an hour", "cc refuses all with 400")


def cycle(shop: Shop, hours: float) -> None:
    """Both cron jobs; what they report is not the question here."""
    for job in (shop.flush, shop.poll):
        with suppress(CcsyncError):
            job()
        shop.later(hours=hours / 2)


def acts(shop: Shop) -> dict[str, Callable[[], bool]]:
    """People act at both vendors; whether each act has arrived at the other one."""
    kibo, cc = shop.box.kibo, shop.box.cc
    ids = {one: kibo.find_by_email(one)[0] for one in (OPTS_OUT, UNSUBSCRIBES, LEAVES, GAINS)}
    kibo.opt_out(ids[OPTS_OUT])
    cc.unsubscribe(UNSUBSCRIBES)
    cc.leave_list(LEAVES, shop.list_id)
    kibo.update_account(ids[GAINS], segments=in_segments("VIP"))
    join(shop, NEW)
    return {
        "opt-out": lambda: OPTS_OUT not in shop.members(),
        "unsubscribe": lambda: accepts(shop, ids[UNSUBSCRIBES]) is False,
        "departure": lambda: accepts(shop, ids[LEAVES]) is False,
        "sign-up": lambda: NEW in shop.members(),
        "tag": lambda: VIP in tags_of(shop, GAINS),
    }


@pytest.mark.undescribed  # a vendor that refuses everything does so where its description has no such answer
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one in QUICK else pytest.mark.deep) for one in HALVES], ids=str
)
def test_a_vendor_that_half_works_holds_no_consent_up(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opt-outs get through in both directions, the rest in time; nobody else is touched, and nobody is blamed."""
    for module in (departures, members):
        monkeypatch.setattr(module, "PAGE_SIZE", 2)  # a list worth an export
    half = HALVES[name]
    with small_shop(tmp_path, TAGS, customers=0, sms_only_contacts=0) as shop:
        bystanders = join(shop, *STAYS)
        join(shop, OPTS_OUT, UNSUBSCRIBES, LEAVES, GAINS)
        shop.export()
        for _ in range(2):
            cycle(shop, 0.5)
        half.begin(shop)
        arrived = acts(shop)
        if half.exports:
            shop.export()
        after = dict[str, int]()
        for number in range(1, USUAL_CYCLES + RARE_CYCLES + 1):
            cycle(shop, 0.5 if number <= USUAL_CYCLES else 8)
            after |= {one: number for one, has in arrived.items() if one not in after and has()}
            shop.box.cc.plan.limit = 0
        print(f"{name}: {', '.join(f'{one} after {number}' for one, number in after.items())} cycles")
        assert after.keys() == arrived.keys()
        assert max(after[one] for one in ("opt-out", "unsubscribe", "departure")) <= half.consent
        assert max(after.values()) <= half.rest
        assert shop.members() == {*STAYS, GAINS, NEW}
        assert all(accepts(shop, one) is True for one in bystanders)
        assert not shop.box.cc.forbidden_calls
        shop.poll()
        assert "rejected" not in {key for key, number in shop.flush().counts.items() if number}
