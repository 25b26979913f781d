"""`ccsync doctor`: everything that can be wrong, one line each with its fix."""

from collections.abc import Iterator

import click

from ccsync.cli.doctor.findings import OK, SKIPPED, Finding, examine, gravest
from ccsync.cli.doctor.machine import Machine
from ccsync.cli.doctor.vendors import Vendors
from ccsync.cli.logging_setup import redact
from ccsync.cli.terminal import screen
from ccsync.cli.wiring import App


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def doctor(app: App, as_json: bool) -> int:
    """Look at everything that can be wrong, here and at both vendors, and say how to mend it.

    It changes nothing; a login that has to be renewed is renewed, as any run does. The exit code is 0, or that of the
    gravest thing found.

    \b
    Example:  ccsync doctor
              ccsync -q doctor
    """
    found = list[Finding]()
    for one in findings(app):
        found.append(one)
        if not as_json and not (app.is_quiet and one.status in (OK, SKIPPED)):
            screen.print_facts({one.check: redact(_in_words(one))}, margin=_MARGIN)
    code = gravest({one.code for one in found})
    if as_json:
        facts = [{"check": one.check, "status": one.status, "what": one.what, "fix": one.fix or None, "code": one.code}
                 for one in found]  # fmt: skip
        screen.print_json({"ok": code == 0, "code": code, "checks": facts})
    return code


def findings(app: App) -> Iterator[Finding]:
    """Every finding, each as soon as it is there. Further checks go below these."""
    machine = Machine(app)
    try:
        yield from examine(machine.checks())
        yield from examine(Vendors(app, machine).checks())
    finally:
        machine.close()


_MARGIN = len("Constant Contact login") + 2


def _in_words(one: Finding) -> str:
    if one.status == OK:
        return f"ok, {one.what}"
    if one.status == SKIPPED:
        return f"not checked: {one.what}"
    return f"WRONG: {one.what.rstrip('.')}. Fix: {one.fix}"
