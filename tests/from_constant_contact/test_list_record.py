"""The list's own record, read by every poll: who leaves only the list is found by the next one."""

from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.errors import RefusedError
from tests.harness import LIST, Shop
from tests.jobs.polling import KIM, LEE, PAT, SAM, accepts, join, settled, small_shop, suppressed
from tests.jobs.test_export import seed_contact


def readings(shop: Shop) -> int:
    """How often the members of the list were read."""
    return sum(("lists", shop.list_id) in one.query for one in shop.box.requests.records if one.path == "/v3/contacts")


def test_who_leaves_only_the_list_is_found_within_half_an_hour(shop: Shop) -> None:
    """The list counts one member less than it should: the next poll compares the members and tells the store."""
    (pat, lee) = join(shop, PAT, LEE)
    settled(shop)
    for _ in range(3):
        assert shop.poll().total_contacts == 0
        shop.later(minutes=30)
    shop.box.cc.leave_list(PAT, LIST)
    assert shop.poll().counts["departed"] == 1
    assert (accepts(shop, pat), accepts(shop, lee)) == (False, True)


def test_what_ccsync_itself_changes_is_no_reason_to_compare(shop: Shop) -> None:
    """Who is added, taken off, unsubscribed or found to have left is expected in the count of members."""
    (pat, _, _) = join(shop, PAT, LEE, SAM)
    settled(shop)
    shop.poll()
    before = readings(shop)
    join(shop, KIM)
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    shop.later(minutes=30)
    shop.flush()
    shop.box.cc.unsubscribe(LEE)
    shop.poll()
    shop.later(minutes=30)
    shop.poll()
    assert {PAT, LEE, SAM, KIM} & shop.members() == {SAM, KIM}
    assert readings(shop) == before


@pytest.mark.parametrize("keeps", [False, True])
def test_an_unsubscribe_does_not_hide_a_departure(keeps: bool, tmp_path: Path) -> None:
    """In the same half hour, whether or not those who unsubscribe stay on their lists."""
    with small_shop(tmp_path, unsubscribed_keep_lists=keeps) as shop:
        (pat, lee) = join(shop, PAT, LEE)
        settled(shop)
        shop.box.cc.unsubscribe(PAT)
        shop.box.cc.leave_list(LEE, LIST)
        run = shop.poll()
        assert (run.counts["unsubscribed"], run.counts["departed"]) == (1, 1)
        assert (accepts(shop, pat), accepts(shop, lee)) == (False, False)


def test_others_who_come_and_go_cost_one_comparison(shop: Shop) -> None:
    """After it the count is as it should be again, and nobody has left by that."""
    join(shop, PAT)
    settled(shop)
    before = readings(shop)
    shop.box.cc.add_contact(replace(seed_contact(KIM), lists=(LIST,)))
    for _ in range(4):
        assert shop.poll().total_contacts == 0
        shop.later(minutes=30)
    assert readings(shop) == before + 1


def test_comparisons_cost_a_tenth_of_the_day_s_calls_at_most(tmp_path: Path) -> None:
    """However often the count changes, the comparisons of a day stay within their share."""
    with small_shop(tmp_path, "\n[limits]\nrequests_per_day = 300\nreserve_per_day = 10\n") as shop:
        join(shop, PAT)
        settled(shop)
        before = readings(shop)
        for number in range(47):
            shop.box.cc.add_contact(replace(seed_contact(f"other{number}@example.com"), lists=(LIST,)))
            shop.poll()
            shop.later(minutes=30)
        # The list's record, and one page.
        assert 5 <= readings(shop) - before <= 300 // 10 // 2 + 1


@pytest.mark.parametrize("how", ["gone", "shown"])
def test_a_deleted_list_is_reported_by_every_poll(how: str, tmp_path: Path) -> None:
    """Also where nothing else happens; opt-outs still reach the store."""
    with small_shop(tmp_path, deleted_list=how) as shop:
        (pat, lee) = join(shop, PAT, LEE)
        settled(shop)
        shop.box.cc.delete_list(LIST)
        for _ in range(2):
            with pytest.raises(RefusedError, match="no longer exists") as caught:
                shop.poll()
            assert caught.value.exit_code == 9
            shop.later(minutes=30)
        shop.box.cc.unsubscribe(PAT)
        with pytest.raises(RefusedError, match="no longer exists"):
            shop.poll()
        assert (accepts(shop, pat), accepts(shop, lee), suppressed(shop, LEE)) == (False, True, set())


def test_an_idle_day_costs_at_most_200_calls(shop: Shop) -> None:
    """48 flushes and 48 polls, the full passes included."""
    join(shop, PAT)
    settled(shop)
    shop.flush()
    shop.poll()
    before = len(shop.requests(path="/v3/"))
    for _ in range(48):
        shop.flush()
        shop.later(minutes=15)
        shop.poll()
        shop.later(minutes=15)
    assert len(shop.requests(path="/v3/")) - before <= 200


def test_a_record_without_a_count_leaves_it_to_the_daily_comparison(shop: Shop) -> None:
    """Where the vendor does not tell how many members there are, nothing is concluded from that."""
    (pat,) = join(shop, PAT)
    settled(shop)
    path = f"/v3/contact_lists/{shop.list_id}"
    shop.box.faults.add("wrong-body", path=path, nth=None, body=f'{{"list_id": "{shop.list_id}", "name": "{LIST}"}}')
    shop.box.cc.leave_list(PAT, LIST)
    assert shop.poll().total_contacts == 0
    shop.later(hours=24)
    assert shop.poll().counts["departed"] == 1
    assert accepts(shop, pat) is False
