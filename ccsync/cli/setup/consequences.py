"""Explains the consequences of new settings after `ccsync configure` has written them."""

from collections.abc import Iterable

from ccsync.cli.setup.draft import Draft
from ccsync.cli.terminal import screen
from ccsync.models import CustomField
from ccsync.state import Store, properties


def explain(draft: Draft, store: Store, odd_fields: Iterable[CustomField]) -> None:
    """Say what each change means. `odd_fields` are mapped custom fields that are not text fields."""
    changed = {one.key for one in draft.changes()}
    if draft.chosen is not None:
        _explain_list(draft, store, draft.chosen.name, draft.chosen.list_id)
    if draft.welcome_email and "welcome_email" in changed:
        screen.print_line(
            "Welcome e-mails go to customers who are new to Constant Contact and signed up in the store themselves."
            " An export sends none.\n"
            "Turn off Kibo's own welcome e-mail, or they get two: Admin > System > Settings > General > Notifications,"
            " Enable Transactional Emails > Shoppers > Welcome.\n"
            "An automation in Constant Contact that starts when somebody joins the list welcomes them again."
        )
    if draft.opt_out == "unsubscribe" and "opt_out" in changed:
        screen.print_line("An opt-out in the store unsubscribes the contact from all lists; ccsync cannot undo that.")
    if draft.enabled is not None and "enabled" in changed:
        state = "enabled" if draft.enabled else "disabled; ccsync export still works"
        screen.print_line(f"The cron jobs are {state}.")
    for one in odd_fields:
        screen.print_line(
            f'The custom field "{screen.clean(one.label)}" is of the type {screen.clean(one.type)}:'
            " Constant Contact may refuse a record whose value does not fit it."
        )


def _explain_list(draft: Draft, store: Store, name: str, list_id: str) -> None:
    screen.print_line(f'The contact list is "{screen.clean(name)}".')
    before = draft.config.sync.list_id
    if before is not None and before != list_id:
        old = screen.clean(draft.config.sync.list_name or before)
        screen.print_line(f'Members of "{old}" stay there; ccsync no longer changes that list.')
    if not properties.has_exported(store, list_id):
        screen.print_line(
            "An export is due; until then the cron jobs add nobody. First pause any automation in Constant Contact that"
            " starts when somebody joins this list: it may mail every customer.\n"
            "    ccsync export --dry-run\n"
            "    ccsync export"
        )
