"""`ccsync configure` without options: one question after the other. Enter keeps the current value."""

from collections.abc import Sequence
from datetime import datetime

from ccsync.cli.setup import live_account
from ccsync.cli.setup.draft import Draft
from ccsync.cli.setup.list_choice import ListChoice
from ccsync.cli.setup.mapping_choice import MappingChoice
from ccsync.cli.setup.showing import show_changes
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.wiring import Clients
from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import Declined, RefusedError
from ccsync.models import AccountEmail, CustomField
from ccsync.state import Store

OPT_OUT_MODES = {
    "remove-from-list": "remove-from-list: take the contact off this list",
    "unsubscribe": "unsubscribe: end all mail to the contact, which ccsync cannot undo",
}


def interview(draft: Draft, tools: Clients, store: Store, talk: Talk, at: datetime) -> list[CustomField]:
    """Ask for every setting and whether to save. Returns the mapped custom fields that are not text fields.

    Raises `Declined` if the operator does not save.
    """
    now = draft.config.sync
    screen.say("Enter keeps the current value. Ctrl-C stops; the config file is not changed.")
    _title(1, "The contact list")
    draft.chosen = ListChoice(talk, tools.constant_contact, store, draft, at).ask()
    _title(2, "From and ReplyTo")
    _ask_addresses(draft, tools.constant_contact, talk)
    _title(3, "A customer opts out in the store")
    modes = list(OPT_OUT_MODES)
    draft.opt_out = modes[talk.choose("Action", list(OPT_OUT_MODES.values()), modes.index(now.opt_out))]
    _title(4, "Welcome e-mail")
    screen.say(
        "Constant Contact can send a welcome e-mail to people who sign up in the store themselves."
        " An export sends none. Kibo has its own welcome e-mail; turn on only one of the two."
    )
    draft.welcome_email = talk.confirm("Send Constant Contact's welcome e-mail?", now=now.welcome_email)
    _title(5, "The fields")
    fields = MappingChoice(talk, tools, draft)
    draft.mapping = fields.ask()
    _title(6, "The cron jobs")
    draft.enabled = talk.confirm("Turn them on?", now=now.enabled)
    _confirm(draft, talk)
    return fields.odd_fields()


def _title(number: int, text: str) -> None:
    screen.say(f"\n{number}/6 {text}")


def _ask_addresses(draft: Draft, client: ConstantContact, talk: Talk) -> None:
    try:
        emails = live_account.account_emails(client)
    except RefusedError as error:
        screen.say(f"{screen.clean(error.what)} {screen.clean(error.why)} From and ReplyTo are not changed.")
        return
    good = [one.address for one in emails if one.is_confirmed]
    for one in emails:
        if not one.is_confirmed:
            screen.say(f"{screen.clean(one.address)} cannot be used. {live_account.UNCONFIRMED} {live_account.CONFIRM}")
    if not good:
        screen.say(f"The account has no confirmed address, so neither is changed. {live_account.CONFIRM}")
        return
    now = draft.config.sync
    _warn(now.from_email, "From", emails)
    place = _place(now.from_email, good)
    sender = talk.choose("From", good, 0 if place is None else place)
    _warn(now.reply_to_email, "ReplyTo", emails)
    place = _place(now.reply_to_email, good)
    answerer = talk.choose("ReplyTo", good, sender if place is None else place)
    draft.from_email, draft.reply_to_email = good[sender], good[answerer]


def _warn(today: str | None, what: str, emails: Sequence[AccountEmail]) -> None:
    known = next((one for one in emails if today and one.address.casefold() == today.casefold()), None)
    if today and known is None:
        screen.say(f"The {what} address is no longer one of the account's.")
    elif known is not None and not known.is_confirmed:
        screen.say(f"The {what} address is not confirmed.")


def _place(address: str | None, good: Sequence[str]) -> int | None:
    folded = [one.casefold() for one in good]
    return folded.index(address.casefold()) if address and address.casefold() in folded else None


def _confirm(draft: Draft, talk: Talk) -> None:
    changes = draft.changes()
    if not changes:
        return
    screen.say(f"\nChanges to {draft.config.path.name}:")
    show_changes(draft)
    if not talk.confirm("Save?"):
        raise Declined("Cancelled. The config file is unchanged.", "", "ccsync configure")
