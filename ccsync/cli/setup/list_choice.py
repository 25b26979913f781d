"""Asks for the contact list: by its number, its name or a part of it. A new one can be created."""

from collections.abc import Sequence
from datetime import datetime

from ccsync.cli.setup import list_names, live_account
from ccsync.cli.setup.draft import Draft
from ccsync.cli.terminal import screen
from ccsync.cli.terminal.prompts import Talk, numbered, say_numbered
from ccsync.config.editing import Change, check_edit
from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import ConfigError, RefusedError
from ccsync.models import ContactList
from ccsync.state import Store

MOST_SHOWN = 20
"""Lines of a choice; an account has up to 1,000 lists."""


class ListChoice:
    """One question after the list. Names come from what is remembered; the chosen one is looked up."""

    def __init__(self, talk: Talk, client: ConstantContact, store: Store, draft: Draft, at: datetime) -> None:
        self._talk = talk
        self._client = client
        self._store = store
        self._draft = draft
        self._at = at
        known = list_names.remembered(store)
        self._shown: set[int] = set()  # a number that is not in the list may be part of a name
        self._is_read = known is None or not known.are_fresh(at)
        self._lists = live_account.read_lists(client, store, at) if known is None or self._is_read else known.lists

    def ask(self) -> ContactList:
        """The list, as the account has it now."""
        today = self._today()
        self._show(self._lists, today)
        screen.say("Type a number, a name or part of a name; +NAME creates a list.")
        while True:
            keep = f' (Enter: "{_short(today.name)}")' if today else ""
            typed = self._talk.ask(f"List{keep}:")
            picked = today if not typed else self._picked(typed, today)
            found = self._client.get_list(picked.list_id) if picked else None
            if found is not None:
                return found
            if picked is not None:
                screen.say(f'"{screen.clean(picked.name)}" was just deleted.')
                today = None if today and today.list_id == picked.list_id else today
                self._read()
            elif not typed:
                screen.say("A list is required.")

    def _today(self) -> ContactList | None:
        """The list that is configured, if it is still there."""
        settings = self._draft.config.sync
        if settings.list_id is None:
            return None
        found = self._client.get_list(settings.list_id)
        name = screen.clean(settings.list_name or settings.list_id)
        if found is None:
            screen.say(f'The list "{name}" no longer exists. Choose another; ccsync will not recreate it.')
        elif settings.list_name and found.name != settings.list_name:
            screen.say(f'The list "{name}" is called "{screen.clean(found.name)}" now.')
        return found

    def _read(self) -> None:
        self._lists = live_account.read_lists(self._client, self._store, self._at)
        self._is_read = True

    def _show(self, lists: Sequence[ContactList], today: ContactList | None) -> None:
        numbers = {one.list_id: number for number, one in enumerate(self._lists, 1)}
        self._shown = {numbers[one.list_id] for one in lists[:MOST_SHOWN]}
        say_numbered(
            [one.name for one in lists[:MOST_SHOWN]], sorted(self._shown), numbers.get(today.list_id, 0) if today else 0
        )
        if len(lists) > MOST_SHOWN:
            screen.say(f"and {len(lists) - MOST_SHOWN:,} more; type part of a name to find them.")

    def _picked(self, typed: str, today: ContactList | None) -> ContactList | None:
        number = numbered(typed, len(self._lists))
        if number is not None and number in self._shown:
            return self._lists[number - 1]
        likes = list_names.matching(typed, self._lists)
        if not likes and not self._is_read:
            self._read()
            likes = list_names.matching(typed, self._lists)
        if len(likes) == 1 and likes[0].name.strip() == typed:
            return likes[0]
        if not likes or typed.startswith("+"):
            return self._created(typed.removeprefix("+").strip())
        if len(likes) == 1:
            name = screen.clean(likes[0].name)
            return likes[0] if self._talk.confirm(f'Do you mean "{name}"?') else self._created(typed)
        self._show(likes, today)
        return None

    def _created(self, name: str) -> ContactList | None:
        """Create the list after a yes; if that fails, say why and ask again."""
        if not self._is_read:
            self._read()
        try:
            live_account.check_new_list(name, self._lists)
            near = list_names.nearest(name, [one.name for one in self._lists])
            if near:
                screen.say(f"Similar lists: {screen.clean(', '.join(near))}.")
            if not self._talk.confirm(f'There is no list "{screen.clean(name)}". Create it?'):
                return None
            check_edit(self._draft.config.path, [Change("sync", "list_id", "-"), Change("sync", "list_name", name)])
            made = live_account.create_list(self._client, self._store, name)
        except (ConfigError, RefusedError) as error:
            screen.say(" ".join(screen.clean(part) for part in (error.what, error.why, error.fix) if part))
            return None
        self._draft.made.append(f'the list "{made.name}"')
        self._lists = (*self._lists, made)
        screen.say(f'Created the contact list "{screen.clean(made.name)}"; it is empty.')
        return made


def _short(name: str) -> str:
    first, *others = screen.wrapped(screen.clean(name), 30)
    return f"{first}..." if others else first
