"""An older copy of the state file, put back: what it no longer remembers is nobody's act."""

import shutil
from pathlib import Path

import pytest

from ccsync.errors import CcsyncError, TemporaryError
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import Lock, open_store, properties
from ccsync.state.database import copies
from tests.harness import LIST, Crash, Shop
from tests.inside import InsideShop
from tests.jobs.forgetting import forget
from tests.jobs.polling import LEE, PAT, SAM, accepts, join, ledger_of, puts, settled, suppressed, told
from tests.jobs.reconciling import reconcile

FIXTURES = Path(__file__).parent.parent / "fixtures" / "state_0_2"
JOBS = ("flush", "poll", "export")


class Backup:
    """A copy of the state file, made with `cp`; with what stands beside it, or without."""

    def __init__(self, shop: Shop, *, is_whole: bool = False) -> None:
        self._shop, self._path = shop, shop.let_go()
        self._folder = self._path.with_name(f"backup-{len([*self._path.parent.iterdir()])}")
        self._folder.mkdir()
        for name in ("", "-wal", *([".lock"] if is_whole else [])):
            if (one := self._path.with_name(self._path.name + name)).exists():
                shutil.copy(one, self._folder)

    def put_back(self) -> None:
        """The newer file, and its write-ahead log, are gone."""
        self._shop.let_go()
        for name in ("-wal", "-shm"):
            self._path.with_name(self._path.name + name).unlink(missing_ok=True)
        for one in self._folder.iterdir():
            shutil.copy(one, self._path.parent)


def is_restored(shop: Shop) -> bool:
    store = shop.open()
    found = properties.get(store, properties.RESTORED)
    store.close()
    return found is not None


def run(shop: Shop, *jobs: str) -> None:
    for job in jobs:
        getattr(shop, job)()
        shop.later(minutes=15)


def backed_up(shop: Shop, *addresses: str) -> tuple[list[int], Backup]:
    """These customers are on the list, every job has seen them, and the state file was copied."""
    accounts = join(shop, *addresses)
    settled(shop)
    run(shop, "flush", "poll")
    return accounts, Backup(shop)


ORDERS = pytest.mark.parametrize("order", [("flush", "poll"), ("poll", "flush"), ("export", "poll")])


def restored_after_an_opt_out(shop: Shop, *addresses: str, is_whole: bool) -> list[int]:
    """A copy is put back from before the first of these customers said no; the accounts are returned."""
    found = join(shop, *addresses)
    settled(shop)
    run(shop, "flush", "poll")
    backup = Backup(shop, is_whole=is_whole)
    shop.later(minutes=30)
    shop.box.kibo.update_account(found[0], acceptsMarketing=False)
    run(shop, "flush", "poll")
    backup.put_back()
    return found


@ORDERS
@pytest.mark.parametrize("is_whole", [False, True], ids=["the file", "with its lock file"])
def test_who_was_taken_off_in_between_and_opts_in_anew_is_added_again(
    is_whole: bool, order: tuple[str, str], shop: Shop
) -> None:
    """Whichever job runs first."""
    pat, lee = restored_after_an_opt_out(shop, PAT, LEE, is_whole=is_whole)
    shop.later(minutes=30)
    run(shop, *order)
    assert (PAT in shop.members(), accepts(shop, pat)) == (False, False)
    shop.box.kibo.update_account(pat, acceptsMarketing=True, lastName="Anew")
    shop.later(minutes=5)
    run(shop, *order, *order)
    assert (PAT in shop.members(), accepts(shop, pat), suppressed(shop, PAT)) == (True, True, set())
    assert (LEE in shop.members(), accepts(shop, lee)) == (True, True)
    assert not puts(shop)
    assert "left-list" not in [change for change, _ in ledger_of(shop, PAT)]
    assert not is_restored(shop)


@ORDERS
@pytest.mark.parametrize("change", ["an edit", "out and in again"])
def test_an_account_that_changed_in_between_proves_no_opt_in(change: str, order: tuple[str, str], shop: Shop) -> None:
    """Kibo dates changes and not what changed, and the person may have left the list after it.

    They are not mailed, and their yes stays; once they opt in later than that was seen, it counts.
    """
    (pat,), backup = backed_up(shop, PAT)
    run(shop, "poll")
    if change == "an edit":
        shop.box.cc.leave_list(PAT, LIST)
    else:
        shop.box.kibo.update_account(pat, acceptsMarketing=False)
        run(shop, "flush")
    shop.box.kibo.update_account(pat, acceptsMarketing=True, lastName="Anew")
    backup.put_back()
    shop.later(minutes=30)
    run(shop, *order, *order)
    assert (PAT in shop.members(), accepts(shop, pat), suppressed(shop, PAT)) == (False, True, {"departed"})
    assert (puts(shop), told(shop, PAT)) == ([], [])
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    run(shop, "flush")
    shop.box.kibo.update_account(pat, acceptsMarketing=True)
    run(shop, "flush", "poll")
    assert (PAT in shop.members(), accepts(shop, pat), suppressed(shop, PAT)) == (True, True, set())


@ORDERS
def test_an_account_made_before_that_was_seen_proves_no_opt_in(order: tuple[str, str], shop: Shop) -> None:
    """It may be older than the departure: no account of the address is set to false, and nobody is mailed."""
    (pat,), backup = backed_up(shop, PAT)
    run(shop, "poll")
    (twin,) = join(shop, PAT)
    shop.later(minutes=5)
    shop.box.cc.leave_list(PAT, LIST)
    backup.put_back()
    shop.later(minutes=30)
    run(shop, *order, *order)
    assert (PAT in shop.members(), accepts(shop, pat), accepts(shop, twin)) == (False, True, True)
    join(shop, PAT)
    run(shop, "flush")
    assert (PAT in shop.members(), suppressed(shop, PAT)) == (True, set())


def test_whose_contact_staff_deleted_in_between_is_sent_anew(shop: Shop) -> None:
    """A deletion is seen, and is no act of the person's, also by the comparison that resolves a restore."""
    (pat,), backup = backed_up(shop, PAT)
    run(shop, "poll")
    shop.box.cc.delete_contact(PAT)
    backup.put_back()
    run(shop, "poll", "flush", "poll")
    assert (PAT in shop.members(), accepts(shop, pat), suppressed(shop, PAT)) == (True, True, set())


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("is_whole", [False, True], ids=["the file", "with its lock file"])
def test_a_copy_that_was_put_back_is_recognized(is_whole: bool, job: str, shop: Shop) -> None:
    """By the first job that runs, by what stands beside the file or by what Constant Contact shows; it says so once."""
    (pat,) = join(shop, PAT)
    settled(shop)
    backup = Backup(shop, is_whole=is_whole)
    shop.later(minutes=30)
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    run(shop, "flush", "poll")
    backup.put_back()
    shop.later(minutes=30)
    getattr(shop, job)()
    assert shop.is_restored is not is_whole
    assert ("restored" in shop.notices) is is_whole
    run(shop, "poll", "flush")
    assert "restored" not in shop.notices
    assert not shop.is_restored


@pytest.mark.parametrize("first", [*JOBS, "dry"])
def test_a_copy_is_recognized_though_the_first_run_fails(first: str, shop: Shop) -> None:
    """Constant Contact is down in it: the copy shows itself by nothing but what that would have shown."""
    (pat,) = restored_after_an_opt_out(shop, PAT, is_whole=True)
    shop.later(hours=2)
    shop.box.cc.refuse(None, 503)
    with pytest.raises(CcsyncError):
        getattr(shop, first if first != "dry" else "plan_poll")()
    shop.box.cc.relent()
    shop.later(minutes=30)
    shop.box.kibo.update_account(pat, acceptsMarketing=True, lastName="Anew")
    run(shop, "poll", "flush", "poll")
    assert accepts(shop, pat) is True
    assert "left-list" not in [change for change, _ in ledger_of(shop, PAT)]


@pytest.mark.parametrize("first", ["reconcile", "forget"])
def test_a_copy_is_recognized_by_any_job(first: str, shop: Shop) -> None:
    """Also by those that cron does not run every half hour: after one of them the others look no more."""
    join(shop, PAT, LEE)
    settled(shop)
    backup = Backup(shop, is_whole=True)
    shop.later(minutes=30)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.kibo.opt_out(shop.box.kibo.find_by_email(LEE)[0])
    run(shop, "flush", "poll")
    backup.put_back()
    shop.later(hours=2)
    reconcile(shop) if first == "reconcile" else forget(shop, LEE)
    assert is_restored(shop)


@pytest.mark.parametrize("jobs", [("reconcile",), ("forget",), ("forget", "reconcile")])
def test_bulk_jobs_of_any_job_are_known(jobs: tuple[str, ...], shop: Shop) -> None:
    """Those of runs between long pauses of cron: they are no sign of a restore."""
    join(shop, PAT, LEE)
    settled(shop)
    for job in jobs:
        shop.later(hours=5)
        reconcile(shop) if job == "reconcile" else forget(shop, LEE)
    shop.later(hours=5)
    run(shop, "flush")
    assert not is_restored(shop)


def test_it_is_no_restore_when_the_runs_merely_paused(shop: Shop) -> None:
    """Nor when staff had a file imported meanwhile, nor when ccsync's own jobs are all known."""
    join(shop, PAT)
    settled(shop)
    run(shop, "flush", "poll")
    shop.later(hours=30)
    for job in JOBS:
        getattr(shop, job)()
        assert not shop.is_restored
        assert "restored" not in shop.notices
        shop.later(hours=5)
    assert not is_restored(shop)


def test_a_copy_made_in_the_middle_of_a_run_is_recognized(shop: Shop) -> None:
    """What the run did afterwards is not in it."""
    join(shop, PAT)
    made = list[Backup]()

    def copy(label: str) -> None:
        if label.startswith("before POST") and "import" in label and not made:
            made.append(Backup(shop))

    shop.on_boundary = copy
    shop.export()
    assert made
    made[0].put_back()
    shop.later(minutes=10)
    shop.poll()
    assert shop.is_restored


def test_a_writer_that_died_is_no_restore(shop: Shop) -> None:
    """Wherever it died, the state file is not behind what stands beside it."""
    join(shop, PAT)
    for number in range(12):
        met = 0

        def die(label: str, number: int = number) -> None:
            nonlocal met
            met += label == "after commit"
            if met > number:
                raise Crash

        shop.on_boundary = die
        with pytest.raises(Crash):
            shop.poll()
        shop.on_boundary = lambda _: None
        shop.later(minutes=5)
        shop.poll()
        assert not shop.is_restored, number


def test_who_left_the_list_in_between_is_neither_put_back_nor_written(shop: Shop) -> None:
    """Nobody had recorded it, and the account has not changed since: nobody is mailed in doubt."""
    (pat, lee), backup = backed_up(shop, PAT, LEE)
    run(shop, "flush", "poll")
    shop.box.cc.leave_list(PAT, LIST)
    backup.put_back()
    run(shop, "export", "poll", "flush", "export")
    assert (PAT in shop.members(), accepts(shop, pat), accepts(shop, lee)) == (False, True, True)
    assert not puts(shop)
    assert told(shop, PAT) == []
    # A later word of the person's is heard.
    shop.box.kibo.update_account(pat, acceptsMarketing=False)
    run(shop, "flush")
    shop.box.kibo.update_account(pat, acceptsMarketing=True)
    run(shop, "flush", "poll")
    assert (PAT in shop.members(), accepts(shop, pat), suppressed(shop, PAT)) == (True, True, set())


def test_who_is_held_back_and_on_the_list_again_is_as_before(shop: Shop) -> None:
    """Somebody put them back there: then nothing keeps them from being sent."""
    (pat,), backup = backed_up(shop, PAT)
    run(shop, "poll")
    shop.box.cc.leave_list(PAT, LIST)
    backup.put_back()
    run(shop, "poll")
    assert suppressed(shop, PAT) == {"departed"}
    shop.box.cc.join_list(PAT, LIST)
    run(shop, "poll")
    assert (suppressed(shop, PAT), accepts(shop, pat)) == (set(), True)


def test_departures_after_it_is_settled_are_departures_again(shop: Shop) -> None:
    """One comparison of the list settles it."""
    (pat, lee) = join(shop, PAT, LEE)
    settled(shop)
    backup = Backup(shop)
    run(shop, "flush", "poll")
    backup.put_back()
    run(shop, "poll")
    shop.box.cc.leave_list(LEE, LIST)
    run(shop, "poll")
    assert (accepts(shop, pat), accepts(shop, lee)) == (True, False)


def test_a_no_seen_for_the_first_time_after_it_is_a_no(shop: Shop) -> None:
    """Also where ccsync itself had written it, and no longer knows that: the person is not mailed."""
    (pat, sam), backup = backed_up(shop, PAT, SAM)
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.kibo.update_account(sam, acceptsMarketing=False)
    run(shop, "flush", "poll")
    assert accepts(shop, pat) is False
    backup.put_back()
    run(shop, "poll", "flush", "export")
    assert {PAT, SAM}.isdisjoint(shop.members())
    assert (accepts(shop, pat), accepts(shop, sam)) == (False, False)


def test_an_opt_out_that_was_withdrawn_in_between_is_not_written(shop: Shop) -> None:
    """The copy knew a departure that had still to be written; since then the customer opted in anew and is a member."""
    (pat,) = join(shop, PAT)
    settled(shop)
    run(shop, "flush", "poll")
    shop.box.cc.leave_list(PAT, LIST)
    shop.box.faults.add("status", path="/api/commerce/customer/accounts", nth=None, status=500)
    with pytest.raises(TemporaryError):
        shop.poll()  # looks at the contact and records the departure; Kibo cannot be told
    shop.box.faults.clear()
    backup = Backup(shop)
    run(shop, "poll")
    shop.box.kibo.update_account(pat, acceptsMarketing=True)
    run(shop, "flush")
    assert PAT in shop.members()
    before = puts(shop)
    backup.put_back()
    run(shop, "poll", "flush", "poll")
    assert (PAT in shop.members(), accepts(shop, pat)) == (True, True)
    assert puts(shop) == before


def test_the_operator_is_told_once(tmp_path: Path) -> None:
    """One line, also under cron: what happened, and what ccsync does about it."""
    with InsideShop(tmp_path, SandboxSettings(customers=3)) as shop:
        shop.ccsync("export", "--yes")
        backup = Backup(shop)
        shop.ccsync("poll-unsubscribes")
        backup.put_back()
        first = shop.ccsync("poll-unsubscribes")
        assert first.stderr.count("An older copy of the state file was restored") == 1
        assert first.returncode == 0
        assert shop.ccsync("poll-unsubscribes").stderr == ""


def test_a_new_state_file_is_no_restore(tmp_path: Path) -> None:
    """A login that makes it anew, beside the note of the lost one, is a beginning."""
    with InsideShop(tmp_path, SandboxSettings(customers=3)) as shop:
        shop.ccsync("export", "--yes")
        shop.config.state.path.unlink()
        done = shop.ccsync("login", "--yes")
        assert done.returncode == 0
        assert "older copy" not in done.stderr
        assert not is_restored(shop)


def test_a_state_file_of_0_2_is_no_restore(tmp_path: Path) -> None:
    """Nothing stands beside it yet; from then on something does, and a backup of it is recognized."""
    path, backup = tmp_path / "ccsync.db", FIXTURES / "exported.db"
    found = []
    for _ in range(3):
        if len(found) != 1:
            shutil.copy(backup, path)
        with Lock(path, "export", "") as lock:
            store = open_store(path)
            found.append(copies.begin(store, lock))
            store.close()
    assert found == [False, False, True]
