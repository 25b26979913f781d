"""Asks for the field mapping: shows a table with one customer's values and takes one change at a time."""

from collections.abc import Mapping, Sequence

from ccsync.cli.logging_setup import redact
from ccsync.cli.setup import list_names, live_account
from ccsync.cli.setup.draft import Draft, check_not_empty
from ccsync.cli.terminal import screen, tables
from ccsync.cli.terminal.prompts import Talk
from ccsync.cli.wiring import Clients
from ccsync.config.editing import check_edit
from ccsync.errors import CcsyncError, ConfigError, Interrupted, RefusedError
from ccsync.mapping.checks import mapping_problems
from ccsync.mapping.fields import SOURCES, attributes_by_name
from ccsync.mapping.targets import ANY_CUSTOM_FIELD, CUSTOM_FIELD_PREFIX, TARGETS
from ccsync.models import Customer, CustomField


class MappingChoice:
    """One question after the mapping."""

    def __init__(self, talk: Talk, tools: Clients, draft: Draft) -> None:
        self._talk = talk
        self._client = tools.constant_contact
        self._draft = draft
        self._fields = live_account.custom_fields(self._client)
        self._mapping = live_account.with_labels_as_names(draft.config.mapping, self._fields)
        self._customer = sample_of(tools, self._mapping)

    def ask(self) -> dict[str, str]:
        """The mapping, checked as far as the accounts allow."""
        for name in live_account.missing_fields(self._mapping, self._fields):
            self._offer(name, self._mapping)
        self._show()
        screen.say("last_name=lastName maps a field, -last_name unmaps it, ? lists the fields.")
        while True:
            problems = mapping_problems(self._mapping, [one.name for one in self._fields])
            for problem in problems:
                screen.say(screen.clean(problem))
            typed = self._talk.ask("Change:" if problems else "Change (Enter: done):")
            if typed == "?":
                self._list_fields()
            elif typed:
                self._change(typed)
            elif not problems:
                return self._mapping

    def odd_fields(self) -> list[CustomField]:
        """Mapped custom fields that are not for texts."""
        return live_account.odd_fields(self._mapping, self._fields)

    def _show(self) -> None:
        values = live_account.values_of(self._customer, self._mapping) if self._customer else {}
        rows = [(target, source, redact(values.get(target, "-"))) for target, source in self._mapping.items()]
        title = f"Customer {self._customer.account_id}" if self._customer else "Example"
        tables.print_table(("Constant Contact", "Kibo", title), rows, is_talk=True)

    def _list_fields(self) -> None:
        targets = [(name, one.meaning) for name, one in TARGETS.items() if name != ANY_CUSTOM_FIELD]
        targets += [(CUSTOM_FIELD_PREFIX + one.name, f'custom field "{one.label}"') for one in self._fields]
        tables.print_table(("Constant Contact", "is"), [*targets, (ANY_CUSTOM_FIELD, "a new one")], is_talk=True)
        screen.say("")
        attributes = sorted(attributes_by_name(self._customer.raw)) if self._customer else []
        sources = [(name, one.meaning) for name, one in SOURCES.items()]
        sources += [(f"attributes.{name}", "an attribute of the customer shown") for name in attributes]
        tables.print_table(("Kibo", "is"), sources, is_talk=True)

    def _change(self, typed: str) -> None:
        before = dict(self._mapping)
        target, is_pair, source = (part.strip() for part in typed.partition("="))
        if typed.startswith("-") and not is_pair:
            self._stop(typed[1:].strip())
        elif not is_pair or not target or not source:
            screen.say("Type last_name=lastName to map a field, or -last_name to unmap it.")
        else:
            self._set(target, source)
        if self._mapping != before:
            self._show()

    def _stop(self, target: str) -> None:
        left = {key: source for key, source in self._mapping.items() if key != target}
        try:
            check_not_empty(left)
        except ConfigError as error:
            screen.say(f"{error.what} {error.fix}")
            return
        if len(left) == len(self._mapping):
            near = list_names.nearest(target, self._mapping)
            screen.say(f"Nothing is mapped to {screen.clean(target)}.{_meant(near)}")
        self._mapping = left

    def _set(self, target: str, source: str) -> None:
        [(target, source)] = live_account.with_labels_as_names({target: source}, self._fields).items()
        wanted = {**self._mapping, target: source}
        others = mapping_problems(self._mapping, None)
        problems = [one for one in mapping_problems(wanted, None) if one not in others]
        if problems:
            for problem in problems:
                screen.say(screen.clean(problem))
            return
        for name in live_account.missing_fields({target: source}, self._fields):
            self._offer(name, wanted)
            return
        self._mapping = wanted
        for doubt in live_account.attribute_doubts(self._customer, {target: source}) if self._customer else ():
            screen.say(screen.clean(doubt))

    def _offer(self, name: str, wanted: dict[str, str]) -> None:
        """Create a custom field after a yes, and take `wanted` with the name that the vendor gave it."""
        near = list_names.nearest(name, [one.name for one in self._fields])
        screen.say(f"The account has no custom field {screen.clean(name)}.{_meant(near)}")
        try:
            live_account.check_room([name], self._fields)
            if not self._talk.confirm("Create it as a text field?"):
                return
            self._draft.mapping = wanted
            check_edit(self._draft.config.path, self._draft.changes())
            made = live_account.create_field(self._client, name)
        except (ConfigError, RefusedError) as error:
            screen.say(" ".join(screen.clean(part) for part in (error.what, error.why, error.fix) if part))
            return
        self._draft.made.append(f'the custom field "{made.label}"')
        self._fields = [*self._fields, made]
        self._mapping = live_account.with_field(wanted, name, made)
        screen.say(created_field(made))


def created_field(made: CustomField) -> str:
    """The message about a new custom field."""
    return f'Created the custom field "{screen.clean(made.label)}"; imports call it {screen.clean(made.name)}.'


def _meant(near: Sequence[str]) -> str:
    return f" Did you mean {screen.clean(near[0])}?" if near else ""


def sample_of(tools: Clients, mapping: Mapping[str, str]) -> Customer | None:
    """A customer to show or compare with. The mapping works without one; the reason is printed."""
    try:
        found = live_account.sample_customer(tools.kibo, mapping)
    except Interrupted:
        raise
    except CcsyncError as error:
        screen.say(f"Kibo shows no example customer right now. {screen.clean(error.what)} {screen.clean(error.why)}")
        return None
    if found is None:
        screen.say("No customer has opted in yet, so there is no example.")
    return found
