"""`ccsync doctor`: everything that can be wrong, one line each with its fix."""

import sys
from collections.abc import Iterator

import click

from ccsync.cli.command_line import App
from ccsync.cli.doctor.findings import OK, SKIPPED, Finding, Skipped, examine, gravest
from ccsync.cli.doctor.machine import Machine
from ccsync.cli.doctor.vendors import Vendors
from ccsync.cli.logging_setup import redact
from ccsync.cli.terminal import named_config, screen, tables
from ccsync.errors import LockedError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--probe", "probes", is_flag=True, help="Find out what the vendors' descriptions leave open, too.")
@click.pass_obj
def doctor(app: App, as_json: bool, probes: bool) -> int:
    """Check everything that can be wrong.

    It checks this machine and both vendors and says how to fix each problem. It changes nothing, except that it renews
    an expired token like every run. The exit code is 0, or that of the gravest problem. The output of --probe holds
    nothing about a person or the account; please add it to a bug report.

    \b
    Example:  ccsync doctor
              ccsync -q doctor --probe
    """
    is_piped = not sys.stdout.isatty()  # one line per check, for grep
    machine = Machine(app)
    vendors = Vendors(app, machine)
    found, facts = list[Finding](), dict[str, str]()
    try:
        for one in _findings(machine, vendors):
            found.append(one)
            if not as_json and not (app.is_quiet and one.status in (OK, SKIPPED)):
                tables.print_facts({one.check: redact(_in_words(one))}, margin=_MARGIN, is_wide=is_piped)
        codes = {one.code for one in found}
        for fact, value, its_code in _probed(vendors) if probes else ():
            facts[fact] = value
            codes.add(its_code)
            if not as_json:
                tables.print_facts({fact: value}, margin=_PROBE_MARGIN, is_wide=is_piped)
    finally:
        machine.close()
    code = gravest(codes)
    if as_json:
        checks = [
            {
                "check": one.check,
                "status": one.status,
                "what": one.what,
                "fix": named_config.repeat(one.fix) or None,
                "code": one.code,
            }
            for one in found
        ]
        probed = {"probed": facts} if probes else {}
        screen.print_json({"ok": code == 0, "code": code, "checks": checks, **probed})
    return code


def _findings(machine: Machine, vendors: Vendors) -> Iterator[Finding]:
    """Yield each finding as soon as it is known. Add new checks at the end."""
    yield from examine(machine.checks())
    yield from examine(vendors.checks())


def _probed(vendors: Vendors) -> Iterator[tuple[str, str, int]]:
    """Yield each fact, its result, and an exit code, which is 0 unless another run holds the lock."""
    try:
        yield from ((fact, value, 0) for fact, value in vendors.probe())
    except Skipped as why:
        yield "nothing was probed", str(why), 0
    except LockedError as error:
        yield "nothing was probed", redact(error.sentence), error.exit_code


_PROBE_MARGIN = 52
_MARGIN = len("Constant Contact login") + 2


def _in_words(one: Finding) -> str:
    if one.status == OK:
        return f"ok, {one.what}"
    if one.status == SKIPPED:
        return f"not checked: {one.what}"
    what = one.what if one.what.endswith("?") else f"{one.what.rstrip('.')}."
    return " ".join(f"WRONG: {what} Fix: {one.fix}".split())  # two blanks set off a remark elsewhere
