"""reconcile compares the tags with Constant Contact's and with the store's, and flush-events puts them right."""

from pathlib import Path

from tests.harness import Shop
from tests.jobs.polling import KIM, LEE, PAT, join
from tests.jobs.reconciling import reconcile
from tests.to_constant_contact.tags.tagging import in_segments, tag_shop, tags_of, waiting

VIP = "VIP customers"


TAKEN_OFF = f'Somebody took the tag "{VIP}" off 1 contact; it is set again.'


def exported(shop: Shop) -> list[int]:
    found = [*join(shop, PAT, LEE, segments=in_segments("VIP")), *join(shop, KIM)]
    shop.export()
    shop.flush()
    shop.later(hours=1)
    return found


def tag(shop: Shop, account_id: int, fault: str) -> None:
    """An account comes into the segment, and the answer to the tagging job does not arrive."""
    shop.box.kibo.update_account(account_id, segments=in_segments("VIP"))
    shop.box.faults.add(fault, method="POST", path=".*/contacts_taggings_add", times=50)
    shop.flush()
    shop.box.faults.clear()


def test_what_staff_took_off_is_set_again(tmp_path: Path) -> None:
    """A tag that is on fewer contacts than ccsync gave it to is looked at, contact by contact."""
    with tag_shop(tmp_path) as shop:
        exported(shop)
        shop.box.cc.untag(PAT, VIP)
        reconcile(shop)
        assert waiting(shop) == 1
        shop.later(minutes=30)
        shop.flush()
        assert (tags_of(shop, PAT), tags_of(shop, LEE), waiting(shop)) == ({VIP}, {VIP}, 0)


def test_a_tag_that_staff_made_anew_is_set_on_everybody(tmp_path: Path) -> None:
    """It has the name of the one that they deleted, and nobody has it yet: also where no other tag waits to be set."""
    with tag_shop(tmp_path) as shop:
        exported(shop)
        shop.box.cc.tags.delete(VIP)
        shop.box.cc.tags.add(VIP)
        shop.flush()
        assert tags_of(shop, PAT) == set()
        reconcile(shop)
        shop.later(minutes=30)
        shop.flush()
        assert (tags_of(shop, PAT), tags_of(shop, LEE), waiting(shop)) == ({VIP}, {VIP}, 0)


def test_a_tag_that_a_job_may_have_set_hides_none_that_staff_took_off(tmp_path: Path) -> None:
    """The answer to a tagging job did not arrive. The tags that it set are not counted in place of those taken off."""
    with tag_shop(tmp_path) as shop:
        *_, kim = exported(shop)
        shop.box.cc.untag(PAT, VIP)
        tag(shop, kim, "reset-after")
        assert tags_of(shop, KIM) == {VIP}
        reconcile(shop)
        assert [one for one in shop.remarks if "took the tag" in one] == [TAKEN_OFF]
        shop.later(hours=2)
        shop.flush()
        assert (tags_of(shop, PAT), tags_of(shop, KIM), waiting(shop)) == ({VIP}, {VIP}, 0)


def test_nobody_took_off_what_a_job_may_not_have_set(tmp_path: Path) -> None:
    """A tagging job that did not arrive is no act of staff, and is started again."""
    with tag_shop(tmp_path) as shop:
        *_, kim = exported(shop)
        tag(shop, kim, "reset-before")
        assert tags_of(shop, KIM) == set()
        reconcile(shop)
        assert [one for one in shop.remarks if "took the tag" in one] == []
        shop.later(hours=2)
        shop.flush()
        assert (tags_of(shop, KIM), waiting(shop)) == ({VIP}, 0)


def test_a_change_of_segment_without_an_event_is_found(tmp_path: Path) -> None:
    """Where Kibo raises no event the comparison finds it."""
    with tag_shop(tmp_path) as shop:
        pat, *_ = exported(shop)
        shop.box.kibo.update_account(pat, segments=in_segments("VIP", "NORTH"))
        shop.box.kibo.events.forget()
        reconcile(shop)
        assert waiting(shop) == 1
        shop.later(minutes=30)
        shop.flush()
        assert tags_of(shop, PAT) == {VIP, "The north"}


def test_without_a_difference_it_costs_one_call(tmp_path: Path) -> None:
    """Counts are enough while they agree."""
    with tag_shop(tmp_path) as shop:
        exported(shop)
        before = len(shop.requests("GET", "/contact_tags"))
        reconcile(shop)
        assert len(shop.requests("GET", "/contact_tags")) == before + 1
        assert waiting(shop) == 0
