"""The audit log of accounts: each changed field with its old and new value, who changed it, and by which application.

`CustomerAuditEntry` of https://github.com/KiboSoftware/kibo-open-api-specs (`docs/openapi_customer.json`).
"""

from ccsync.sandbox.kibo.accounts import Account, iso
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Clock

ENTRY_FIELDS = frozenset(
    {"customerAccountId", "customerAuditEntryId", "entryDate", "entryUser", "application", "site", "description",
     "fieldPath", "oldValue", "newValue"}
)  # fmt: skip
STAFF = "5ca1ab1e" * 4
"""The user id of somebody in the store's admin; a shopper's is in the account."""


class AuditLog:
    """The entries of every account, oldest first."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._clock = clock
        self._applications = {"person": "Storefront", "staff": "Admin", "app": settings.kibo_client_id}
        self._entries: dict[int, list[Account]] = {}
        self._made = 0

    def record(self, actor: str, before: Account, after: Account) -> None:
        """Note a change of an account."""
        account_id = int(str(after["id"]))
        for name, value in after.items():
            if isinstance(value, dict | list) or value == before.get(name):
                continue
            self._made += 1
            path = name[0].upper() + name[1:]
            entry: Account = {
                "customerAccountId": account_id,
                "customerAuditEntryId": self._made,
                "entryDate": iso(self._clock()),
                "entryUser": {"person": after.get("userId"), "staff": STAFF}.get(actor),
                "application": self._applications[actor],
                "site": None,
                "description": f"{path} changed",
                "fieldPath": f"/Customer/{path}",
                "oldValue": _text(before.get(name)),
                "newValue": _text(value),
            }
            self._entries.setdefault(account_id, []).append(entry)

    def of(self, account_id: int) -> list[Account]:
        """The entries of one account."""
        return self._entries.get(account_id, [])


def _text(value: object) -> str | None:
    return None if value is None else str(value)
