"""The Constant Contact account itself: owner, own addresses, what its user may do."""

from dataclasses import dataclass, field

from ccsync.sandbox.constant_contact.errors import invalid
from ccsync.sandbox.constant_contact.validation import Parameter, read_query
from ccsync.sandbox.wire import Reply, Request

_PRIVILEGES = {
    "account:read": 10,
    "account:update": 11,
    "contacts:read": 20,
    "contacts:write": 21,
    "contacts:lists:read": 22,
    "contacts:lists:write": 23,
    "campaign:create": 30,
    "campaign:read": 31,
    "campaign:write": 32,
    "customer-journey:read": 40,
}
_ROLES = {"C": "CONTACT", "B": "BILLING", "J": "JOURNALING", "R": "REPLY_TO", "O": "OTHER"}
_STATUSES = {"C": "CONFIRMED", "U": "UNCONFIRMED"}
_EMAIL_FILTERS = {
    "confirm_status": Parameter("text", frozenset({*_STATUSES, *_STATUSES.values()})),
    "role_code": Parameter("text", frozenset({*_ROLES, *_ROLES.values()})),
    "email_address": Parameter(),
}


@dataclass(frozen=True, slots=True)
class AccountAddress:
    """One address of the account; only a confirmed one may send campaigns."""

    address: str
    roles: tuple[str, ...] = ()
    is_confirmed: bool = True


# DEFAULT_FROM is in no description; it was observed.
_ADDRESSES = (
    AccountAddress("info@example.com", ("CONTACT", "REPLY_TO", "DEFAULT_FROM")),
    AccountAddress("News@example.com", ("OTHER",)),
    AccountAddress("billing@example.com", ("BILLING",)),
    AccountAddress("new@example.com", is_confirmed=False),
)


@dataclass(slots=True)
class Account:
    """The account that a token belongs to. Tests may change which one it is, or take privileges away."""

    encoded_account_id: str = "p07e1l8cdif9dl"
    organization_name: str = "Sandbox Outfitters"
    addresses: tuple[AccountAddress, ...] = _ADDRESSES
    privileges: set[str] = field(default_factory=lambda: set(_PRIVILEGES))

    def set_confirmed(self, address: str, is_confirmed: bool) -> None:
        """Add an address of the account: confirmed, or not yet."""
        others = tuple(one for one in self.addresses if one.address.lower() != address.lower())
        self.addresses = (*others, AccountAddress(address, ("OTHER",) if is_confirmed else (), is_confirmed))

    def lack(self, privileges: list[str]) -> None:
        """Take these privileges from the user who logged in. Raises `ValueError` for one that does not exist."""
        if unknown := set(privileges) - _PRIVILEGES.keys():
            raise ValueError(f"there is no privilege {min(unknown)}")
        self.privileges = set(_PRIVILEGES) - set(privileges)

    def get_summary(self, request: Request) -> Reply:
        """GET /account/summary."""
        allowed = frozenset({"physical_address", "company_logo"})
        query = read_query(request.query, {"extra_fields": Parameter("csv", allowed)})
        extra = query.words("extra_fields") or frozenset()
        summary: dict[str, object] = {
            "contact_email": self.addresses[0].address,
            "contact_phone": "5085550111",
            "country_code": "us",  # the description says upper case; lower case was seen
            "encoded_account_id": self.encoded_account_id,
            "first_name": "Lola",
            "last_name": "Zang",
            "organization_name": self.organization_name,
            "state_code": "MA",
            "time_zone_id": "US/Eastern",
            "website": "https://www.example.com",
        }
        if "physical_address" in extra:
            summary["physical_address"] = {
                "address_line1": "123 Maple Street",
                "city": "Boston",
                "state_code": "MA",
                "postal_code": "02451",
                "country_code": "us",
            }
        return Reply.json(200, summary)  # no logo exists, so company_logo returns nothing

    def get_emails(self, request: Request) -> Reply:
        """GET /account/emails: a bare array."""
        query = read_query(request.query, _EMAIL_FILTERS)
        if len(query.values) > 1:
            raise invalid("Only one query parameter at a time is supported.")
        shown = [_show_address(number, one) for number, one in enumerate(self.addresses, 1)]
        if status := query.text("confirm_status"):
            shown = [one for one in shown if one["confirm_status"] == _STATUSES.get(status, status)]
        if role := query.text("role_code"):
            shown = [one for one in shown if _ROLES.get(role, role) in str(one["roles"])]
        if (address := query.text("email_address")) is not None:
            shown = [one for one in shown if str(one["email_address"]).lower() == address.lower()]
        return Reply.json(200, shown)

    def get_privileges(self, request: Request) -> Reply:
        """GET /account/user/privileges."""
        read_query(request.query, {})
        held = [(number, name) for name, number in _PRIVILEGES.items() if name in self.privileges]
        return Reply.json(200, [{"privilege_id": n, "privilege_name": name} for n, name in held])


def _show_address(number: int, one: AccountAddress) -> dict[str, str | int | list[str]]:
    shown: dict[str, str | int | list[str]] = {
        "email_address": one.address,
        "email_id": number,
        "confirm_status": "CONFIRMED" if one.is_confirmed else "UNCONFIRMED",
        "roles": list(one.roles),
        "pending_roles": [] if one.is_confirmed else ["OTHER"],
    }
    if one.is_confirmed:
        shown["confirm_time"] = "2026-02-05T07:32:49.766+0000"  # an offset without colon, as observed
        shown["confirm_source_type"] = "SITE_OWNER"
    return shown
