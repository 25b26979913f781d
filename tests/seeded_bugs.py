"""The tests of the tests: bugs that would hurt people, each seeded into a copy of ccsync, each caught by a named test.

    python -m tests.seeded_bugs            runs them all; exits with 1 when one is not caught
    python -m tests.seeded_bugs NAME …     runs some

A bug is a text of one module and what stands there instead; `test_seeded_bugs` checks that each still fits.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class SeededBug:
    """`right` in `module` becomes `wrong`; `caught_by` are words for pytest."""

    name: str
    module: str
    right: str
    wrong: str
    caught_by: tuple[str, ...]

    def applies(self, folder: Path) -> bool:
        """Does its text stand in the module, once?"""
        return (folder / "ccsync" / self.module).read_text().count(self.right) == 1

    def seed(self, folder: Path) -> None:
        """Put it into a copy of the project."""
        path = folder / "ccsync" / self.module
        path.write_text(path.read_text().replace(self.right, self.wrong))


K1 = "tests/sweeps/test_crash.py"
FLUSH, POLL = "flush-events", "poll-unsubscribes"

BUGS = (
    SeededBug(
        "an event is done before it is acted on",
        "from_kibo/changed_accounts.py",
        "        queue.mark_read(self._context.store, [one.account_id for one in taken])\n",
        "        queue.mark_read(self._context.store, [one.account_id for one in taken])\n"
        "        queue.settle(self._context.store, self._context.now())\n",
        (K1, "-k", f"anywhere and {FLUSH}"),
    ),
    SeededBug(
        "an opt-out counts as told before Kibo was told",
        "to_kibo/write_back.py",
        "            if row.id in self._targets:\n                self._write_all(",
        "            if row.id in self._targets:\n"
        "                untold.settle(self._context.store, row.id, self._at, row.kind)\n"
        "                self._write_all(",
        (K1, "-k", f"anywhere and {POLL}"),
    ),
    SeededBug(
        "the bookmark moves before the last page",
        "from_kibo/events.py",
        "            if pages.has_ended:\n",
        "            if True:\n",
        ("tests/from_kibo/test_events.py", "-k", "a_page_that_is_lost"),
    ),
    SeededBug(
        "a token is used and not stored",
        "run/access.py",
        "        save_login(self._store, answer, self._now(), previous=saved.refresh_token)\n",
        "",
        ("tests/run/test_access.py",),
    ),
    SeededBug(
        "no lock is held",
        "state/database/lock.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        ("tests/cli/test_faults_locks.py", "-k", "second_writer"),
    ),
    SeededBug(
        "an import is repeated blindly",
        "constant_contact/bulk.py",
        "body=body, is_repeatable=False)",
        "body=body)",
        ("tests/to_constant_contact/test_batches.py", "-k", "lost"),
    ),
    SeededBug(
        "only the first of several accounts is told",
        "to_kibo/write_back.py",
        "        for account_id in account_ids:\n            try:\n",
        "        for account_id in account_ids[:1]:\n            try:\n",
        (K1, "-k", f"anywhere and {POLL}"),
    ),
    SeededBug(
        "the brake is off",
        "consent/safety_limit.py",
        "    is_too_much = most > 0 and (total > most",
        "    is_too_much = most < 0 and (total > most",
        ("tests/jobs/test_flush_events.py", "-k", "brake or nothing_erases"),
    ),
    SeededBug(
        "who left the list is put back",
        "to_constant_contact/additions.py",
        "        check.renew()\n",
        "",
        ("tests/jobs/test_flush_events.py", "-k", "left_the_list"),
    ),
    SeededBug(
        "a long export goes by its first look at opt-outs and members",
        "to_constant_contact/batches.py",
        "            self._renew()\n",
        "",
        ("tests/to_constant_contact/test_list_check.py",),
    ),
    SeededBug(
        "who left the list after an older state file was made is put back",
        "from_constant_contact/restored.py",
        "    is_newer = since is None or (changed_at is not None and changed_at > since)\n",
        "    is_newer = True\n",
        ("tests/from_constant_contact/test_restored.py",),
    ),
    SeededBug(
        "an older state file passes for the newest",
        "state/database/copies.py",
        "    return noted.number > own.number or",
        "    return noted.number < own.number or",
        ("tests/from_constant_contact/test_restored.py",),
    ),
    SeededBug(
        "an unsubscribe hides that another member has left",
        "from_constant_contact/list_record.py",
        'COUNTED = "active"',
        'COUNTED = "all"',
        ("tests/from_constant_contact/test_list_record.py",),
    ),
    SeededBug(
        "a removal waits for the accounts to be read",
        "jobs/flush_events.py",
        "        removals.remove_due()\n        self.troubles.raise_first()\n",
        "        self.troubles.raise_first()\n",
        ("tests/jobs/test_flush_order.py",),
    ),
    SeededBug(
        "addresses stand in errors and logs",
        "cli/logging_setup.py",
        '    return _ADDRESS.sub("<address>", _BEARER.sub(r"\\1 <secret>", text))\n',
        "    return text\n",
        ("tests/cli/test_messages.py", "tests/cli/test_operator.py", "tests/cli/commands/test_why.py"),
    ),
    SeededBug(
        "a next link is joined blindly",
        "constant_contact/wire.py",
        "        if not is_relative:\n",
        "        if not is_relative and False:\n",
        ("tests/constant_contact/test_client.py",),
    ),
    SeededBug(
        "what ccsync wrote itself is taken for the customer's act",
        "from_kibo/echoes.py",
        "        if seen is Seen.OWN:\n",
        "        if seen is Seen.OWN and False:\n",
        (K1, "-k", f"anywhere and {POLL}"),
    ),
    SeededBug(
        "a trimmed account is written back",
        "kibo/writes.py",
        "    return {**raw, CONSENT: accepts}\n",
        '    return {key: raw[key] for key in ("id", "emailAddress") if key in raw} | {CONSENT: accepts}\n',
        ("tests/jobs/test_poll_unsubscribes.py",),
    ),
    SeededBug(
        "an older sibling's yes outweighs a no",
        "consent/kibo_consent.py",
        "    if was_opted_in:\n        return []\n",
        "    if was_opted_in:\n        return [one.kind for one in suppressions]\n",
        ("tests/consent/test_decisions.py", "tests/jobs/test_flush_events.py"),
    ),
    SeededBug(
        "opt-outs are read and not remembered",
        "from_constant_contact/opt_outs.py",
        "        if suppressions.record(context.store, found, seen_at, context.run_id):\n",
        "        if False:\n",
        ("tests/jobs/test_poll_unsubscribes.py",),
    ),
    SeededBug(
        "one refused account passes for a vendor that is down",
        "run/control.py",
        "    context.kibo.get_customers(start=0, size=1)\n",
        "    raise error\n",
        ("tests/to_kibo/test_refused_records.py", "-k", "put_is_refused"),
    ),
    SeededBug(
        "records are blamed for a vendor that refuses everybody",
        "to_constant_contact/suspects.py",
        "            if is_vendors:\n",
        "            if False:\n",
        ("tests/to_constant_contact/test_refused_imports.py", "-k", "nobody_is_blamed"),
    ),
    SeededBug(
        "a vendor's refusal stands for ever",
        "state/views/staged_people.py",
        "CASE WHEN expires_at IS NULL OR expires_at > ? THEN parked.fingerprint END",
        "CASE WHEN ? NOT NULL THEN parked.fingerprint END",
        ("tests/to_constant_contact/test_refused_imports.py", "-k", "expires"),
    ),
    SeededBug(
        "an import puts back who was taken off while it ran",
        "to_constant_contact/list_removals.py",
        "        if open_ids or batches.holds(context.store, one.person):\n",
        "        if open_ids:\n",
        ("tests/jobs/test_hanging_jobs.py", "-k", "opts_out_while"),
    ),
    SeededBug(
        "a cron run waits for a bulk job as long as it takes",
        "run/context.py",
        "    patience_seconds: float = 180.0\n",
        "    patience_seconds: float = 1_500.0\n",
        ("tests/jobs/test_hanging_jobs.py", "-k", "three_minutes"),
    ),
    SeededBug(
        "one contact that cannot be taken off stops the flush",
        "to_constant_contact/list_removals.py",
        "        control.blame_record_at_constant_contact(context, error)\n        _fail(context, one, error)\n",
        "        raise\n",
        ("tests/to_constant_contact/test_refused_removals.py", "-k", "hold_nobody_up"),
    ),
)


def is_caught(bug: SeededBug) -> bool:
    """Seed the bug into a copy of the project; do the named tests, which pass without it, fail?"""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "copy"
        ignored = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "build", "*.egg-info", "sandbox")
        shutil.copytree(ROOT, folder, ignore=lambda at, names: ignored(at, names) if at == str(ROOT) else set())
        passes = _run(folder, bug.caught_by) == 0
        bug.seed(folder)
        return passes and _run(folder, bug.caught_by) == 1  # any other code is trouble of the run's own


def _run(folder: Path, words: tuple[str, ...]) -> int:
    environ = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *words]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, check=False).returncode


def main(names: list[str]) -> int:
    """Run the bugs of these names, or all; print what became of each."""
    chosen = [bug for bug in BUGS if not names or bug.name in names]
    missed = 0
    for bug in chosen:
        caught = is_caught(bug)
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'}  {bug.name}  ({' '.join(bug.caught_by)})", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
