"""Segments become tags, by bulk jobs that come last, touch only ccsync's tags, and survive whatever happens."""

from pathlib import Path

import pytest

from ccsync.errors import QuotaSpent
from ccsync.state import person_tags
from tests.harness import LIST, Crash
from tests.jobs.forgetting import forget
from tests.jobs.polling import KIM, LEE, PAT, SAM, join, settled
from tests.jobs.test_export import seed_contact
from tests.to_constant_contact.tags.tagging import TAGS, in_segments, known_tags, tag_shop, tags_of, waiting

NORTH, VIP = "The north", "VIP customers"
TAGGING = "/activities/contacts_taggings_"


def test_an_export_sets_the_tags_of_segments(tmp_path: Path) -> None:
    """Each customer's contact has the tags of its segments; a second export makes no tagging call."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP", "NORTH"))
        join(shop, LEE, segments=in_segments("VIP"))
        join(shop, KIM, segments=in_segments("OTHER"))
        run = shop.export()
        assert (tags_of(shop, PAT), tags_of(shop, LEE), tags_of(shop, KIM)) == ({VIP, NORTH}, {VIP}, set())
        assert (run.counts["tags_added"], waiting(shop)) == (3, 0)
        before = len(shop.requests("POST", TAGGING))
        shop.export()
        assert len(shop.requests("POST", TAGGING)) == before


@pytest.mark.parametrize("job", ["flush", "export"])
def test_a_change_of_segment_changes_the_tags(job: str, tmp_path: Path) -> None:
    """The new tag is set and the old one taken off; what staff tagged otherwise stays."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.flush()
        shop.box.cc.tag(PAT, "Staff pick")
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=in_segments("NORTH"))
        run = getattr(shop, job)()
        assert tags_of(shop, PAT) == {NORTH, "Staff pick"}
        assert (run.counts["tags_added"], run.counts["tags_removed"]) == (1, 1)


def test_a_star_makes_a_tag_of_every_segment(tmp_path: Path) -> None:
    """Named after the segment, in the pattern of the value; a key of its own goes before."""
    with tag_shop(tmp_path, '\n[tags]\n"*" = "Shop: *"\nVIP = "VIP customers"\n') as shop:
        join(shop, PAT, segments=in_segments("VIP", "NORTH"))
        shop.export()
        assert tags_of(shop, PAT) == {VIP, "Shop: North"}


def test_without_tags_nothing_is_asked(tmp_path: Path) -> None:
    """A shop that maps no tags makes no call about any."""
    with tag_shop(tmp_path, "") as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        assert shop.requests(path="tag") == []


def test_nobody_off_the_list_is_tagged(tmp_path: Path) -> None:
    """Who unsubscribed or opted out gets no tag and no call, whatever the segments say; nobody joins the list by it."""
    with tag_shop(tmp_path) as shop:
        pat, lee = join(shop, PAT, LEE)
        join(shop, KIM, segments=in_segments("VIP"))
        shop.export()
        shop.later(minutes=30)
        shop.box.cc.unsubscribe(PAT)
        for one in (pat, lee):
            shop.box.kibo.update_account(one, segments=in_segments("VIP"))
        shop.box.kibo.opt_out(lee)
        shop.flush()
        shop.later(minutes=30)
        shop.flush()
        assert (tags_of(shop, PAT), tags_of(shop, LEE), waiting(shop)) == (set(), set(), 0)
        assert LEE not in shop.members()


def test_who_is_back_on_the_list_gets_the_tags_of_today(tmp_path: Path) -> None:
    """What changed while somebody was off the list is set and taken off once they are back."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        shop.box.kibo.refuse("put", record=pat)  # so that the departure is not in the store when it is undone
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        shop.box.kibo.update_account(pat, segments=in_segments("NORTH"))
        shop.flush()
        assert tags_of(shop, PAT) == {VIP}
        shop.later(minutes=30)
        shop.box.cc.join_list(PAT, LIST)
        shop.poll(is_full=True)
        shop.flush()
        assert (PAT in shop.members(), tags_of(shop, PAT), waiting(shop)) == (True, {NORTH}, 0)


def test_who_is_created_singly_gets_the_tags_in_the_same_flush(tmp_path: Path) -> None:
    """For the welcome e-mail a new customer is created by a call of their own, and not by an import."""
    with tag_shop(tmp_path, "\nwelcome_email = true\n" + TAGS) as shop:
        shop.export()
        join(shop, PAT, segments=in_segments("VIP"))
        shop.later(minutes=30)
        shop.flush()
        assert PAT in shop.box.cc.writes.welcomed
        assert (PAT in shop.members(), tags_of(shop, PAT), waiting(shop)) == (True, {VIP}, 0)


@pytest.mark.parametrize("adds_pending", ["wait", "join"])
def test_who_confirms_later_gets_the_tags_then(tmp_path: Path, adds_pending: str) -> None:
    """Under Confirmed Opt-in a new contact is on no list until its person follows the link; a day later it has them."""
    config = "\nwelcome_email = true\n" + TAGS
    with tag_shop(tmp_path, config, confirmed_opt_in=True, bulk_adds_pending=adds_pending) as shop:
        shop.export()
        join(shop, PAT, segments=in_segments("VIP"))
        for _ in range(2):
            shop.later(minutes=30)
            shop.flush()
            shop.poll()
        shop.box.cc.confirm(PAT)
        for _ in range(2):
            shop.later(days=1)
            shop.poll(is_full=True)
            shop.flush()
        assert (PAT in shop.members(), tags_of(shop, PAT), waiting(shop)) == (True, {VIP}, 0)


def test_opt_outs_go_before_tags(tmp_path: Path) -> None:
    """In one run a removal starts before any tagging does."""
    with tag_shop(tmp_path) as shop:
        pat, lee = join(shop, PAT, LEE)
        shop.export()
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=in_segments("VIP"))
        shop.box.kibo.opt_out(lee)
        shop.flush()
        posts = [one for one in shop.requests("POST", "/activities/") if "remove_list" in one or "taggings" in one]
        assert ["remove_list" in one for one in posts] == [True, False]


def test_a_tag_that_staff_deleted_comes_back_only_on_a_yes(tmp_path: Path) -> None:
    """It is named, not made again by itself, and set again on everybody after `configure --create-tags`."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.box.cc.tags.delete(VIP)
        shop.later(minutes=30)
        join(shop, LEE, segments=in_segments("VIP", "NORTH"))
        shop.flush()
        assert (tags_of(shop, LEE), tags_of(shop, PAT)) == ({NORTH}, set())
        assert f'"{VIP}"' in shop.notices["tags-gone"]
        shop.later(minutes=30)
        shop.export()
        assert VIP not in {one.name for one in shop.box.cc.tags.all()}
        store = shop.open()
        assert person_tags.make_gone_again(store, shop.clock.now()) == [VIP]
        store.close()
        shop.later(minutes=30)
        shop.flush()
        assert (tags_of(shop, PAT), tags_of(shop, LEE)) == ({VIP}, {VIP, NORTH})


@pytest.mark.parametrize("is_seen_gone", [True, False])
def test_another_tag_of_the_name_is_set_on_everybody(tmp_path: Path, is_seen_gone: bool) -> None:
    """Staff delete a tag and make one of the same name: nobody has that one yet, whatever ccsync had set before."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.box.cc.tags.delete(VIP)
        if is_seen_gone:
            shop.later(minutes=30)
            join(shop, LEE, segments=in_segments("VIP"))
            shop.flush()
        shop.box.cc.tags.add(VIP)
        for number in range(2):
            shop.later(minutes=30)
            join(shop, f"new{number}@example.com", segments=in_segments("NORTH"))
            shop.flush()
        assert tags_of(shop, PAT) == {VIP}
        assert waiting(shop) == 0


def test_a_tag_that_is_there_already_is_used(tmp_path: Path) -> None:
    """A tag of that name is taken as it is; staff may rename it, since it is known by its id."""
    with tag_shop(tmp_path) as shop:
        made = shop.box.cc.tags.add(VIP)
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.box.cc.tags.rename(VIP, "Very important")
        shop.later(minutes=30)
        join(shop, LEE, segments=in_segments("VIP"))
        shop.flush()
        assert tags_of(shop, LEE) == {"Very important"}
        assert [one.tag_id for one in shop.box.cc.tags.all()] == [made.tag_id]


def test_an_old_mapping_is_taken_off(tmp_path: Path) -> None:
    """A tag that is no longer mapped leaves those whom ccsync gave it, and the run says so."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP", "NORTH"))
        shop.export()
        text = shop.config_path.read_text()
        shop.config_path.write_text(text.replace('NORTH = "The north"', 'NORTH = "Northerners"'))
        shop.later(minutes=30)
        shop.export()
        assert tags_of(shop, PAT) == {VIP, "Northerners"}
        assert f'No longer in [tags]: "{NORTH}"' in shop.notices["tags-unmapped"]


def test_a_job_that_fails_is_started_again(tmp_path: Path) -> None:
    """A failed tagging job costs nobody the tag: the next run sets it."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, LEE, segments=in_segments("VIP"))
        shop.box.cc.jobs.add("tagging", seconds=1, state="failed", times=1)
        shop.export()
        shop.later(hours=1)
        shop.flush()
        assert (tags_of(shop, PAT), tags_of(shop, LEE), waiting(shop)) == ({VIP}, {VIP}, 0)


def test_a_job_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    """The run ends, later runs look at the job, and after six hours it is started again."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.box.cc.jobs.add("tagging", seconds=None, times=1)
        shop.export()
        assert waiting(shop) == 1
        shop.later(hours=1)
        shop.flush()
        assert len(shop.requests("POST", TAGGING)) == 1
        shop.later(hours=6)
        shop.flush()
        assert (tags_of(shop, PAT), waiting(shop)) == ({VIP}, 0)


def test_one_contact_that_is_refused_holds_nobody_up(tmp_path: Path) -> None:
    """The others of the job get their tag; the refused one is tried again."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, LEE, KIM, SAM, segments=in_segments("VIP"))
        shop.box.faults.before(lambda: shop.box.cc.refuse("tagging", record=KIM), path="/v3/contact_tags", nth=1)
        shop.export()
        assert [tags_of(shop, one) for one in (PAT, LEE, KIM, SAM)] == [{VIP}, {VIP}, set(), {VIP}]
        assert waiting(shop) == 1
        shop.box.cc.relent()
        shop.later(hours=1)
        shop.flush()
        assert (tags_of(shop, KIM), waiting(shop)) == ({VIP}, 0)


def test_a_run_that_dies_is_continued(tmp_path: Path) -> None:
    """Killed at any boundary of the tagging, the next runs set every tag once and for all."""
    total = 0
    with tag_shop(tmp_path) as shop:
        labels = list[str]()
        join(shop, PAT, LEE, segments=in_segments("VIP"))
        shop.on_boundary = labels.append
        shop.export()
        total = len(labels)
    for number in range(total - 30, total):
        folder = tmp_path / str(number)
        folder.mkdir()
        with tag_shop(folder) as shop:
            join(shop, PAT, LEE, segments=in_segments("VIP"))
            seen = 0

            def dies(_: str, number: int = number) -> None:
                nonlocal seen
                seen += 1
                if seen == number:
                    raise Crash

            shop.on_boundary = dies
            with pytest.raises(Crash):
                shop.export()
            shop.on_boundary = lambda _: None
            shop.later(minutes=30)
            shop.export()
            shop.later(minutes=30)
            shop.flush()
            assert (tags_of(shop, PAT), tags_of(shop, LEE), waiting(shop)) == ({VIP}, {VIP}, 0), number


def test_a_spent_quota_leaves_the_rest_to_the_next_day(tmp_path: Path) -> None:
    """Tags may not use the calls kept for opt-outs; the export itself counts as finished."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.box.faults.add(
            "status", vendor="cc_api", path=".*/contact_tags", status=429, body='{"error_key": "quota_exceeded"}'
        )
        with pytest.raises(QuotaSpent):
            shop.export()
        assert PAT in shop.members()
        shop.later(days=1)
        shop.flush()
        assert tags_of(shop, PAT) == {VIP}


def test_a_dry_run_counts_the_tags(tmp_path: Path) -> None:
    """What would be set and taken off; nothing is asked of Constant Contact about it."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP", "NORTH"))
        assert shop.dry_run()[1]["tags_added"] == 2
        shop.export()
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=[])
        counts = shop.dry_flush()[1]
        assert (counts["tags_added"], counts["tags_removed"]) == (0, 2)
        assert tags_of(shop, PAT) == {VIP, NORTH}


def test_an_account_that_shows_no_segments_changes_nothing(tmp_path: Path) -> None:
    """Rows of Kibo's list without segments are read one by one; where nothing shows them, tags stay."""
    with tag_shop(tmp_path, rows_carry=frozenset()) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        assert tags_of(shop, PAT) == {VIP}
        shop.later(minutes=30)
        shop.export()
        assert tags_of(shop, PAT) == {VIP}


def test_erasure_takes_the_tags_along(tmp_path: Path) -> None:
    """Nothing of a forgotten person's tags stays in the state file."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        assert known_tags(shop, PAT) == [(VIP, True, True)]
        forget(shop, PAT)
        assert known_tags(shop, PAT) == []


def test_a_job_that_only_seemed_to_fail(tmp_path: Path) -> None:
    """What it may have set is taken off again when the customer has left the segment before another try."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.box.cc.jobs.add("tagging", seconds=1, state="failed", takes_effect=True)
        shop.export()
        assert tags_of(shop, PAT) == {VIP}
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, segments=in_segments())
        shop.flush()
        assert (tags_of(shop, PAT), waiting(shop)) == (set(), 0)


def test_a_tag_that_only_seemed_to_stay_is_set_again(tmp_path: Path) -> None:
    """It was taken off, though the answer did not arrive, and is wanted again."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        settled(shop)
        shop.box.kibo.update_account(pat, segments=in_segments())
        shop.box.faults.add("reset-after", method="POST", path=".*/contacts_taggings_remove", times=50)
        shop.flush()
        shop.box.faults.clear()
        assert tags_of(shop, PAT) == set()
        shop.box.kibo.update_account(pat, segments=in_segments("VIP"))
        for _ in range(3):
            shop.later(minutes=90)
            shop.flush()
        assert tags_of(shop, PAT) == {VIP}


def test_a_contact_that_was_made_anew_gets_the_tags_again(tmp_path: Path) -> None:
    """With a contact that is erased go its tags: the next one at the address has none of them."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, acceptsMarketing=False)
        shop.flush()
        shop.later(minutes=30)
        shop.box.cc.delete_contact(PAT, for_good=True)
        shop.box.kibo.update_account(pat, acceptsMarketing=True)
        for _ in range(2):
            shop.flush()
            shop.poll(is_full=True)
            shop.later(minutes=30)
        shop.flush()
        assert PAT in shop.members()
        assert (tags_of(shop, PAT), waiting(shop)) == ({VIP}, 0)


def test_a_contact_that_somebody_else_made_anew_gets_the_tags_again(tmp_path: Path) -> None:
    """It is on the list by another way, and nothing has changed in the store, so that no account is read again."""
    with tag_shop(tmp_path) as shop:
        join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.flush()
        shop.later(minutes=30)
        shop.box.cc.delete_contact(PAT, for_good=True)
        at = {"created_at": shop.clock.now(), "updated_at": shop.clock.now()}
        shop.box.cc.add_contact(seed_contact(PAT, lists=(LIST,), **at))
        assert tags_of(shop, PAT) == set()
        shop.later(minutes=30)
        shop.poll(is_full=True)
        shop.flush()
        assert (PAT in shop.members(), tags_of(shop, PAT), waiting(shop)) == (True, {VIP}, 0)


def test_a_contact_that_staff_deleted_comes_back_with_its_tags(tmp_path: Path) -> None:
    """What the segments no longer say is taken off it, though it was unknown for a while which contact it is."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.later(minutes=30)
        shop.box.cc.delete_contact(PAT)
        shop.box.kibo.update_account(pat, segments=in_segments())
        shop.poll(is_full=True)
        for _ in range(3):
            shop.flush()
            shop.later(minutes=30)
            shop.poll(is_full=True)
        assert PAT in shop.members()
        assert (tags_of(shop, PAT), waiting(shop)) == (set(), 0)


def test_who_left_and_comes_back_for_another_account_loses_the_tags_of_the_first(tmp_path: Path) -> None:
    """The contact is the one that ccsync had tagged, and its address is now an account's that is in no segment."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.later(minutes=30)
        shop.box.cc.leave_list(PAT, shop.list_id)
        shop.poll(is_full=True)
        shop.later(minutes=30)
        shop.box.kibo.change_address(pat, "moved@example.org")
        join(shop, PAT)
        for _ in range(2):
            shop.flush()
            shop.later(minutes=30)
        assert PAT in shop.members()
        assert tags_of(shop, PAT) == set()


def test_another_contact_keeps_the_tags_that_staff_gave_it(tmp_path: Path) -> None:
    """ccsync had tagged the contact that has left the address, and takes nothing off the one that was made since."""
    with tag_shop(tmp_path) as shop:
        (pat,) = join(shop, PAT, segments=in_segments("VIP"))
        shop.export()
        shop.later(minutes=30)
        shop.box.cc.rename(PAT, "moved@example.org")
        shop.box.cc.leave_list("moved@example.org", shop.list_id)
        shop.poll(is_full=True)
        shop.later(minutes=30)
        shop.box.cc.add_contact(seed_contact(PAT))
        shop.box.cc.tag(PAT, VIP)
        shop.box.kibo.update_account(pat, acceptsMarketing=True, segments=in_segments())
        for _ in range(2):
            shop.flush()
            shop.later(minutes=30)
        assert PAT in shop.members()
        assert tags_of(shop, PAT) == {VIP}
