"""Bugs that an operator would meet: in the first hour, and in what cron mails."""

from tests.seeded_bugs.bug import SeededBug

MAIL = "tests/cli/test_mail.py"
BUGS = (
    SeededBug(
        "a vendor's clock may show the end of time",
        "transport/vendor_clock.py",
        " and at.year in YEARS:\n",
        ":\n",
        ("tests/transport/test_vendor_clock.py", "-k", "no_clock_shows"),
    ),
    SeededBug(
        "Kibo is asked for its time until it tells",
        "run/clocks.py",
        "range(context.kibo.transport.dates.answers, 2)",
        "range(1_000)",
        ("tests/from_constant_contact/test_kibo_without_dates.py",),
    ),
    SeededBug(
        "a token of Kibo is used with another secret",
        "run/access.py",
        " and saved.scope == self._marked():\n",
        ":\n",
        ("tests/cli/test_owner.py", "-k", "kibo_token"),
    ),
    SeededBug(
        "a passing outage is mailed at once",
        "cli/cron/mail.py",
        "    if is_passing and memory.passing < IN_A_ROW:\n",
        "    if is_passing and memory.passing < 1:\n",
        (MAIL, "-k", "what_is_reported"),
    ),
    SeededBug(
        "a lasting trouble is mailed by every run",
        "cli/cron/mail.py",
        "        if is_same_day(memory.reported.get(mark), now):\n",
        "        if is_same_day(None, now):\n",
        (MAIL, "-k", "each_day_anew"),
    ),
    SeededBug(
        "nobody hears that a trouble is over",
        "cli/cron/mail.py",
        "    if memory.what and not app.is_quiet:\n",
        "    if not memory.what and not app.is_quiet:\n",
        (MAIL, "-k", "passing_outage"),
    ),
    SeededBug(
        "a list is created before it is known that the config can be written",
        "config/editing.py",
        "        if error.errno == errno.EXDEV:\n",
        "        if error.errno == errno.EBUSY:\n",
        ("tests/cli/test_this_machine.py", "-k", "mounted_alone"),
    ),
    SeededBug(
        "the example's placeholders pass for values",
        "config/checking.py",
        '        if is_placeholder(section, "client_id", values.get("client_id")):\n',
        '        if is_placeholder(section, "client_ids", values.get("client_id")):\n',
        ("tests/config/test_checking.py", "-k", "placeholders"),
    ),
    SeededBug(
        "a declined export stays in the log as failed",
        "run/life_cycle.py",
        "            runs.drop(context.store, context.run_id)  # nothing was done, and nothing has failed\n",
        '            _finish(context, "FAILED", error.what)\n',
        ("tests/cli/test_exit_codes.py", "-k", "declined"),
    ),
    SeededBug(
        "others can read the first config",
        "cli/setup/starting_config.py",
        "            file.write(text)\n",
        "            file.write(text)\n            os.fchmod(handle, 0o644)\n",
        ("tests/cli/commands/test_init.py", "-k", "at_a_terminal"),
    ),
    SeededBug(
        "an old token hides a wrong API key",
        "run/access.py",
        " and properties.get(self.store, _APP) in (None, mark)",
        "",
        ("tests/cli/test_owner.py", "-k", "of_another_app"),
    ),
    SeededBug(
        "a clock that was set back keeps the list from being compared",
        "run/clocks.py",
        "    if stream.clock is OurTime:\n        return when.ours\n",
        "",
        ("tests/run/test_clocks_sweep.py", "-k", "stays_behind"),
    ),
    SeededBug(
        "runs by a clock that was behind look like a restored state file",
        "run/clocks.py",
        "    return max([by_ours, *known])\n",
        "    return by_ours\n",
        ("tests/run/test_clocks_sweep.py", "-k", "stays_behind"),
    ),
    SeededBug(
        "a dead proxy is blamed on the vendor",
        "transport/this_machine.py",
        "    if proxy and (is_proxy_s or",
        "    if not proxy and (is_proxy_s or",
        ("tests/cli/test_this_machine.py", "-k", "a_proxy_variable"),
    ),
)
