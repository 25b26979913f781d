"""`ccsync forget`: erases a person at their request and prints the receipt."""

from collections.abc import Iterator

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen, tables
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.wiring import working
from ccsync.config.schema import Config
from ccsync.errors import Declined, NotAgreed
from ccsync.jobs import forget as job
from ccsync.jobs.forget import Receipt
from ccsync.run.job_names import FORGET
from ccsync.run.life_cycle import carry_out
from ccsync.state.erasure import Held
from ccsync.state.suppressions import DEPARTED, FORGOTTEN, NOBODY_OPTED_IN, OPTED_OUT, Suppression
from ccsync.words import counted

_ROWS_OF = {
    "consent": "consent ledger",
    "history": "history",
    "contacts": "contact as last sent",
    "accounts": "accounts as last seen",
    "rejected": "rejected records",
    "events": "events",
    "queue": "queue",
}
"""What the tables are called in the receipt; all others only hold work in progress."""


@click.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_obj
def forget(app: App, address: str, yes: bool, as_json: bool) -> None:
    """Erase a person at their request.

    Removes the person from the list and erases everything ccsync remembers about them, except a keyed hash of the
    address: no export sends the person again until they opt in again in the store. The receipt lists what you still
    have to do in Kibo and in Constant Contact.

    \b
    Example:  ccsync forget pat@example.com
              ccsync forget pat@example.com --yes --json > receipt.json
    """
    if not address.strip():
        raise click.UsageError("ADDRESS is empty.")
    config = app.load()
    with working(app, config, FORGET, config.sync.list_id or "", shows_progress=not as_json) as context:
        held = job.find(context, address)
        if not held.is_known:
            _say_unknown(address, as_json)
            return
        _agree(app, config, held, yes)
        receipt = carry_out(context, FORGET, lambda: job.run(context, address))
    if as_json:
        screen.print_json(receipt_to_json(address, receipt))
    elif not app.is_quiet:
        _print_receipt(address, receipt)


def _agree(app: App, config: Config, held: Held, yes: bool) -> None:
    if yes:
        return
    what = f"This erases {counted(sum(held.rows.values()), 'record')} of one person"
    what += f" and {counted(len(held.people) - 1, 'old address', 'old addresses')}" if len(held.people) > 1 else ""
    what += f' and removes them from the list "{config.sync.list_name or config.sync.list_id}". It cannot be undone.'
    if not screen.may_ask():
        raise NotAgreed("forget needs a confirmation; nothing was changed.", what, "ccsync forget ADDRESS --yes")
    screen.say(screen.clean(what))
    if not Talk(app.clock.check).confirm("Forget this person?"):
        raise Declined("Cancelled. Nothing was changed.", "", "ccsync forget ADDRESS.")


def _say_unknown(address: str, as_json: bool) -> None:
    if as_json:
        screen.print_json({"address": address, "is_known": False})
        return
    screen.print_line("ccsync has nothing about this address. Nothing was changed.")
    screen.print_line("Check the spelling. Kibo or Constant Contact may still know it.")


def receipt_to_json(address: str, receipt: Receipt) -> dict[str, object]:
    """The receipt for programs and files."""
    accounts = receipt.accounts
    return {
        "address": address,
        "is_known": True,
        "run_id": receipt.run_id,
        "at": screen.utc_time(receipt.at),
        "taken_off_list": receipt.on_list,
        "erased": dict(receipt.erased),
        "old_addresses": receipt.old_addresses,
        "kept": [{"kind": one.kind, "since": screen.utc_time(one.since)} for one in dict.fromkeys(receipt.kept)],
        "kibo_accounts": None
        if accounts is None
        else [{"account_id": number, "opts_in": opts_in} for number, opts_in in sorted(accounts.items())],
        "moved_accounts": list(receipt.moved_accounts),
        "contacts": receipt.contacts,
        "to_do": list(to_do(receipt)),
    }


def _print_receipt(address: str, receipt: Receipt) -> None:
    erased = dict(receipt.erased)
    named = [f"{_ROWS_OF[table]}: {erased.pop(table):,}" for table in _ROWS_OF if table in erased]
    named += [f"traces of runs: {sum(erased.values()):,}"] if erased else []
    facts = {
        "Forgotten": address.strip(),
        "At": f"{screen.local_time(receipt.at)}, run {receipt.run_id}",
        "List": f"removed ({receipt.on_list})" if receipt.on_list else "was not on it",
        "Erased": ", ".join(named) or "nothing left to erase",
        "Old addresses": f"{receipt.old_addresses}, erased as well" if receipt.old_addresses else "none",
        "Kept": "a keyed hash of the address; " + "; ".join(dict.fromkeys(map(_kept, receipt.kept))),
    }
    tables.print_facts(facts)
    screen.print_line("\nLeft for you to do:")
    for sentence in to_do(receipt):
        screen.print_line(f"- {sentence}")


def _kept(one: Suppression) -> str:
    if one.kind == FORGOTTEN:
        how = "opts in" if one.source == NOBODY_OPTED_IN else "opts in again"
        return f"no export sends it until an account {how} in the store"
    if one.kind in (OPTED_OUT, DEPARTED):
        return "the opt-out holds until a newer opt-in"
    return "the unsubscribe at Constant Contact holds"


def to_do(receipt: Receipt) -> Iterator[str]:
    """What is left for a person to do: ccsync deletes nothing at either vendor."""
    if receipt.accounts is None:
        yield "Kibo: ccsync cannot look up such an address; find the customer there and delete the account."
    elif receipt.accounts:
        numbers = ", ".join(map(str, sorted(receipt.accounts)))
        opted_in = sum(opts_in is True for opts_in in receipt.accounts.values())
        still = f" ({opted_in} of them still opted in)" if opted_in else ""
        yield f"Kibo: delete or anonymize this person's customer accounts: {numbers}{still}."
    else:
        yield "Kibo: nothing to do; no account has this address."
    if receipt.moved_accounts:
        numbers = ", ".join(map(str, receipt.moved_accounts))
        yield f"Kibo: accounts {numbers} used to have this address. If it is the same person, forget their address too."
    if receipt.contacts:
        noun = "contact" if receipt.contacts == 1 else counted(receipt.contacts, "contact")
        yield f"Constant Contact: delete the {noun} by hand."
    else:
        yield "Constant Contact: nothing to do; no contact has this address."
    if receipt.unseen:
        number = counted(receipt.unseen, "old address", "old addresses")
        yield f"Constant Contact: not looked up: {number}, known only by hash."
    yield "Backups of the state file and exported files still have the data: erase them or let them expire."
