"""The number of contacts that the account's plan allows.

What happens beyond it is not described; staff say that an import takes part of its rows and does not say which.
"""

from ccsync.sandbox.constant_contact.contacts.store import Store
from ccsync.sandbox.constant_contact.errors import refused
from ccsync.sandbox.settings import SandboxSettings


class Plan:
    """`limit` is 0 if there is none. A test may raise it, as an upgrade does."""

    def __init__(self, settings: SandboxSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self.limit = settings.plan_contact_limit

    def room(self) -> int | None:
        """How many more contacts the plan allows; `None`: any number. Unsubscribed contacts do not count."""
        if not self.limit:
            return None
        counted = sum(n for permission, n, _ in self._store.count_by_permission(0) if permission != "unsubscribed")
        return max(self.limit - counted, 0)

    def check_import(self) -> None:
        """Raises `Refused` if imports are refused at the limit."""
        if self._settings.plan_limit_answer == "refuse":
            self.check()

    def check(self) -> None:
        """Raises `Refused` at the limit."""
        if self.room() == 0:
            message = "The account has reached the contact limit of its plan."
            raise refused(self._settings.plan_limit_status, "contacts.api.plan_limit", message)
