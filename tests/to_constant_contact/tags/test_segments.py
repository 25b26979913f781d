"""Segments change with an event of their own, with one that names nobody, or with none."""

from pathlib import Path

import pytest

from ccsync.sandbox.settings import CUSTOMER_TOPICS, ROW_SECTIONS, SEGMENT_TOPICS
from tests.harness import Shop
from tests.jobs.polling import KIM, LEE, PAT, join
from tests.to_constant_contact.tags.tagging import in_segments, tag_shop, tags_of, waiting

VIP = "VIP customers"
SUBSCRIBED = CUSTOMER_TOPICS | SEGMENT_TOPICS


def segment_shop(folder: Path, **settings: object) -> Shop:
    """A store where a change of segments alone is no event of the account."""
    return tag_shop(folder, **{"part_edits_make_events": False, "event_topics": SUBSCRIBED, **settings})


@pytest.mark.parametrize("before", [[], ["VIP"]])
@pytest.mark.parametrize("filter_", ["works", "refuse", "ignore"])
def test_an_event_of_a_segment_is_used(filter_: str, before: list[str], tmp_path: Path) -> None:
    """Where the app subscribes to them, who comes into a segment or leaves it has other tags by the next flush."""
    with segment_shop(tmp_path, event_filter=filter_) as shop:
        (pat,) = join(shop, PAT, segments=in_segments(*before))
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        after = [one for one in ("VIP",) if one not in before]
        shop.box.kibo.update_account(pat, segments=in_segments(*after))
        shop.flush()
        assert tags_of(shop, PAT) == ({VIP} if after else set())


def test_segments_of_who_does_not_opt_in_cost_nothing(tmp_path: Path) -> None:
    """Their events are done as they come: no account is read for them."""
    with segment_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, acceptsMarketing=False)
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=in_segments("VIP"))
        run = shop.flush()
        assert (run.counts.get("read", 0), waiting(shop)) == (0, 0)


def test_without_tags_segment_events_are_not_even_kept(tmp_path: Path) -> None:
    """An operator who maps no segments has no work by them."""
    with segment_shop(tmp_path, config="") as shop:
        (pat,) = join(shop, PAT)
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=in_segments("VIP"))
        assert not any(shop.flush().counts.values())


def test_many_changes_of_segments_keep_no_opt_out_waiting(tmp_path: Path) -> None:
    """Accounts that only moved to another segment are read after those of which something else changed."""
    with segment_shop(tmp_path, rows_carry=ROW_SECTIONS - {"segments"}) as shop:
        (*many, pat) = join(shop, *(f"p{number}@example.com" for number in range(20)), PAT)
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        for one in many:
            shop.box.kibo.update_account(one, segments=in_segments("VIP"))
        shop.later(minutes=1)
        shop.box.kibo.opt_out(pat)
        before = len(shop.requests("GET", "/customer/accounts/"))
        shop.flush()
        read = [one.rpartition("/")[2] for one in shop.requests("GET", "/customer/accounts/")[before:]]
        assert read[: len(many) + 1] == [str(one) for one in (pat, *many)]


@pytest.mark.parametrize("names_account", [True, False])
@pytest.mark.parametrize("rows", [ROW_SECTIONS, ROW_SECTIONS - {"segments"}])
def test_without_events_the_daily_comparison_finds_it(
    rows: frozenset[str], names_account: bool, tmp_path: Path
) -> None:
    """Whether or not a segment's event names the account, a day later the tags are right; if rows carry segments."""
    topics = CUSTOMER_TOPICS if names_account else SUBSCRIBED
    settings = {"segment_events_name_account": names_account, "event_topics": topics, "rows_carry": rows}
    with segment_shop(tmp_path, **settings) as shop:
        _, lee = join(shop, PAT, LEE, segments=in_segments("VIP"))
        (kim,) = join(shop, KIM)
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        shop.box.kibo.update_account(lee, segments=[])
        shop.box.kibo.update_account(kim, segments=in_segments("NORTH"))
        calls = len(shop.requests("GET", "/customer/accounts"))
        for _ in range(50):
            shop.flush()
            shop.later(minutes=30)
        found = [tags_of(shop, one) for one in (PAT, LEE, KIM)]
        if "segments" in rows:
            assert found == [{VIP}, set(), {"The north"}]
        else:
            assert found == [{VIP}, {VIP}, set()], "nothing is concluded from rows without segments"
            assert len(shop.requests("GET", "/customer/accounts")) - calls < 10, "and nobody is read for it daily"
        assert waiting(shop) == 0
