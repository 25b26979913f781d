"""People who had left only the list and are on it again: undone, unless the store has their no for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ccsync.state.outbox import write_backs
from tests.harness import LIST, Shop
from tests.jobs.polling import KIM, PAT, accepts, join, settled, small_shop, suppressed
from tests.jobs.reconciling import reconcile

OFF = "list_departures = false"
SEEN_FIRST_BY: dict[str, Callable[[Shop], object]] = {
    "nothing": lambda shop: None,
    "poll": lambda shop: shop.poll(),
    "export": lambda shop: shop.export(),
    "flush": lambda shop: shop.flush(),
    "reconcile": reconcile,
}


def name_at_constant_contact(shop: Shop, address: str) -> object:
    contact = shop.box.cc.contact(address)
    return contact and contact["last_name"]


def is_updated(shop: Shop, account_id: int, last_name: str) -> bool:
    """Does a change in the store reach the contact?"""
    shop.later(minutes=30)
    shop.box.kibo.update_account(account_id, lastName=last_name)
    shop.later(minutes=30)
    shop.flush()
    return name_at_constant_contact(shop, PAT) == last_name


def set_departures(shop: Shop, *, are_written: bool) -> None:
    on = OFF.replace("false", "true")
    old, new = (OFF, on) if are_written else (on, OFF)
    shop.config_path.write_text(shop.config_path.read_text().replace(old, new))


@pytest.mark.parametrize("source", ["Contact", "Account"])
@pytest.mark.parametrize("seen_by", SEEN_FIRST_BY)
def test_a_departure_that_is_never_written_is_undone_by_a_return(seen_by: str, source: str, tmp_path: Path) -> None:
    """With list_departures = false, too: whoever is on the list again, by whatever act, gets updates as before."""
    with small_shop(tmp_path, f"\n{OFF}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        assert suppressed(shop, PAT) == {"departed"}
        assert not is_updated(shop, pat, "Gone")
        shop.box.cc.join_list(PAT, LIST, source)
        SEEN_FIRST_BY[seen_by](shop)
        shop.later(hours=25)
        run = shop.poll(is_full=seen_by == "nothing")
        assert (suppressed(shop, PAT), accepts(shop, pat), run.counts.get("back_on_list", 0)) == (set(), True, 0)
        shop.later(minutes=30)
        shop.flush()
        assert name_at_constant_contact(shop, PAT) == "Gone"
        assert is_updated(shop, pat, "Back")
        shop.later(minutes=30)
        shop.box.kibo.update_account(pat, acceptsMarketing=False)
        shop.later(minutes=30)
        shop.flush()
        assert PAT not in shop.members()


def test_a_departure_from_before_the_setting_was_turned_on_is_undone_by_a_return(tmp_path: Path) -> None:
    """Nothing was written for it, and it is not written later."""
    with small_shop(tmp_path, f"\n{OFF}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        set_departures(shop, are_written=True)
        shop.later(minutes=30)
        shop.poll(is_full=True)
        assert suppressed(shop, PAT) == {"departed"}
        shop.box.cc.join_list(PAT, LIST)
        shop.poll(is_full=True)
        assert (suppressed(shop, PAT), accepts(shop, pat)) == (set(), True)
        shop.later(minutes=30)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is False


def test_a_departure_that_waited_when_the_setting_was_turned_off_is_undone_by_a_return(tmp_path: Path) -> None:
    """What is still queued is withdrawn: to turn the setting on again writes nothing."""
    with small_shop(tmp_path, f"\n{OFF.replace('false', 'true')}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.box.kibo.update_account(pat, lastName="Changed")
        shop.export()
        set_departures(shop, are_written=False)
        shop.poll(is_full=True)
        assert suppressed(shop, PAT) == {"departed"}
        shop.box.cc.join_list(PAT, LIST)
        shop.poll(is_full=True)
        assert suppressed(shop, PAT) == set()
        set_departures(shop, are_written=True)
        shop.later(minutes=30)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is True
        assert is_updated(shop, pat, "Back")


@pytest.mark.parametrize("is_turned_off", [True, False])
def test_a_departure_that_was_written_stays_after_its_row_is_pruned(is_turned_off: bool, tmp_path: Path) -> None:
    """The store has their no: only its opt-in counts, however long ago that was, and whatever the setting is now."""
    with small_shop(tmp_path, f"\n{OFF.replace('false', 'true')}\n") as shop:
        pat, _ = join(shop, PAT, PAT.upper())
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        assert accepts(shop, pat) is False
        if is_turned_off:
            set_departures(shop, are_written=False)
        store = shop.open()
        write_backs.prune(store, shop.clock.now())
        store.close()
        shop.later(minutes=30)
        shop.box.cc.join_list(PAT, LIST)
        run = shop.poll(is_full=True)
        assert (suppressed(shop, PAT), accepts(shop, pat)) == ({"departed"}, False)
        assert run.counts["back_on_list"] == 1


def test_a_return_to_one_list_undoes_no_departure_from_another(tmp_path: Path) -> None:
    """Each list has its departures, and its own tasks."""
    with small_shop(tmp_path, f"\n{OFF}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        first = shop.list_id
        shop.box.cc.leave_list(PAT, first)
        shop.poll(is_full=True)
        second = shop.box.cc.add_list("Another list")
        shop.config_path.write_text(shop.config_path.read_text().replace(first, second))
        shop.list_id = second
        shop.export()
        shop.box.cc.leave_list(PAT, second)
        shop.later(minutes=30)
        shop.poll(is_full=True)
        shop.box.cc.join_list(PAT, second)
        shop.later(minutes=30)
        shop.poll(is_full=True)
        assert is_updated(shop, pat, "Back")
        assert suppressed(shop, PAT) == {"departed"}
        shop.config_path.write_text(shop.config_path.read_text().replace(second, first))
        shop.list_id = first
        shop.later(minutes=30)
        shop.poll(is_full=True)
        assert suppressed(shop, PAT) == {"departed"}
        shop.export()
        assert PAT not in shop.members()


def test_an_open_departure_from_another_list_says_nothing_of_this_one(tmp_path: Path) -> None:
    """The store has the no for this list's; that the other list's is still queued does not undo it."""
    with small_shop(tmp_path, f"\n{OFF.replace('false', 'true')}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        store = shop.open()
        store.run(
            "INSERT INTO tasks (kind, person, reason, list_id, happened_at, is_checked, was_on_list, status, queued_at,"
            " next_at) SELECT kind, person, reason, 'another', happened_at, 1, 0, 'pending', queued_at, '2100-01-01'"
            " FROM tasks WHERE kind = 'write-back'"
        )
        store.close()
        shop.later(minutes=30)
        shop.box.cc.join_list(PAT, LIST)
        shop.poll(is_full=True)
        assert (suppressed(shop, PAT), accepts(shop, pat)) == ({"departed"}, False)


def test_who_says_no_in_the_store_since_they_left_is_not_put_back(tmp_path: Path) -> None:
    """Rejoining does not undo what the customer says in the store: they came another way, and stay as they are."""
    with small_shop(tmp_path, f"\n{OFF}\n") as shop:
        kim, pat = join(shop, KIM, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        shop.box.kibo.update_account(pat, acceptsMarketing=False)
        shop.later(minutes=30)
        shop.flush()
        shop.box.cc.join_list(PAT, LIST)
        run = shop.poll(is_full=True)
        assert run.counts["back_on_list"] == 1
        assert "departed" in suppressed(shop, PAT)
        assert accepts(shop, kim) is True


def test_who_was_kept_suppressed_by_an_earlier_version_gets_updates_again(tmp_path: Path) -> None:
    """It took them for members who had come another way, though the store says yes."""
    with small_shop(tmp_path, f"\n{OFF}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        shop.box.cc.join_list(PAT, LIST)
        store = shop.open()
        store.run("UPDATE sent SET removed_at = sent_at WHERE person IN (SELECT person FROM suppressions)")
        store.close()
        shop.later(hours=25)
        shop.poll()
        assert suppressed(shop, PAT) == set()
        assert is_updated(shop, pat, "Back")


def test_a_no_and_a_yes_between_two_looks_undo_no_departure(tmp_path: Path) -> None:
    """Kibo does not show that there was a no: in doubt they stay off the list, until a no and a yes are both seen."""
    with small_shop(tmp_path, f"\n{OFF}\n") as shop:
        (pat,) = join(shop, PAT)
        settled(shop)
        shop.box.cc.leave_list(PAT, LIST)
        shop.poll(is_full=True)
        for runs_between in (0, 1):
            for says_yes in (False, True):
                shop.later(minutes=10)
                shop.box.kibo.update_account(pat, acceptsMarketing=says_yes)
                if runs_between or says_yes:
                    shop.flush()
            assert (PAT in shop.members(), accepts(shop, pat)) == (runs_between == 1, True)
