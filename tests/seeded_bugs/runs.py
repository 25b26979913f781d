"""Bugs in how a run goes: what it does in which order, what it keeps, whom it tells."""

from tests.seeded_bugs.bug import SeededBug

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
        "                write_backs.settle(self._context.store, row.id, self._at, row.kind)\n"
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
        "jobs/flush_events.py",
        "            self._note_departures()\n",
        "",
        ("tests/jobs/test_flush_events.py", "-k", "left_the_list"),
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
)
