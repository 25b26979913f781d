"""A Constant Contact sandbox with a clock that stands still, spoken to without HTTP."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from ccsync.sandbox.acts import Acts
from ccsync.sandbox.constant_contact.service import ConstantContact
from ccsync.sandbox.population.people import SeedContact
from ccsync.sandbox.settings import SandboxSettings
from ccsync.sandbox.wire import Reply, Request

START = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
EARLIER = START - timedelta(days=30)
FORM = "application/x-www-form-urlencoded"
CLIENT_ID = SandboxSettings().cc_client_id


def person(address: str, *lists: str, **changes: Any) -> SeedContact:
    """Somebody from another source."""
    known = datetime(2024, 3, 3, 15, 53, 4, tzinfo=UTC)
    values: dict[str, Any] = {
        "address": address,
        "first_name": "Debora",
        "last_name": "Lang",
        "permission_to_send": "implicit",
        "opt_in_source": "Account",
        "opt_in_at": known,
        "opt_out_source": None,
        "opt_out_at": None,
        "create_source": "Account",
        "created_at": known,
        "updated_at": known,
        "deleted_at": None,
        "lists": lists,
        "custom_fields": {},
    }
    return SeedContact(**values | changes)


def opted_out(address: str, at: datetime, *lists: str) -> SeedContact:
    """Somebody who unsubscribed themselves."""
    return person(address, *lists, permission_to_send="unsubscribed", opt_out_source="Contact", opt_out_at=at)


def deleted(address: str, on: date) -> SeedContact:
    """Somebody whom staff deleted."""
    return person(address, deleted_at=on)


def row(address: str, **more: object) -> dict[str, object]:
    """One contact of an import."""
    return {"email": address, **more}


class World:
    """One sandbox, one clock, one client that is logged in."""

    def __init__(self, people: Sequence[SeedContact] = (), **settings: Any) -> None:
        self.now = START
        chosen = SandboxSettings(**({"cc_requests_per_second": 0} | settings))
        self.acts = Acts()
        url = "http://127.0.0.1:8080/oauth2/default/v1"
        self.cc = ConstantContact(chosen, lambda: self.now, people, url, self.acts)
        self.token = ""
        self.sign_in_again()

    def sign_in_again(self) -> None:
        """Go on with a new token, as after a day."""
        self.token = str(self.cc.sign_in()["access_token"])

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Reply:
        """One API call; `path` with its query, below /v3."""
        url = urlsplit(path)
        sent = {"authorization": f"Bearer {self.token}", "user-agent": "test/1"}
        content = b""
        if body is not None:
            sent["content-type"] = "application/json"
            content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        query = tuple(parse_qsl(url.query, keep_blank_values=True))
        return self.cc.handle_api(Request("cc_api", method, f"/v3{url.path}", query, sent | (headers or {}), content))

    def get(self, path: str, **query: str) -> Any:
        """The JSON of a GET that must succeed."""
        reply = self.call("GET", f"{path}?{urlencode(query)}" if query else path)
        assert reply.status == 200, reply.body
        return json.loads(reply.body)

    def pages(self, path: str, **query: str) -> Iterator[Any]:
        """Every page behind the next links, which must be relative."""
        page = self.get(path, **query)
        yield page
        while link := page.get("_links", {}).get("next"):
            assert link["href"].startswith(f"/v3{path}?cursor=")
            page = self.get(link["href"].removeprefix("/v3"))
            yield page

    def addresses(self, **query: str) -> list[str]:
        """The addresses that GET /contacts gives, over all pages."""
        pages = self.pages("/contacts", **query)
        found = [one for page in pages for one in page["contacts"]]
        return [one["email_address"]["address"] for one in found if "email_address" in one]

    def start_import(self, rows: list[dict[str, object]], *lists: str, **top: object) -> str:
        """POST an import that must be accepted; its activity_id."""
        ids = [self.cc.list_id(name) for name in lists or ("Newsletter",)]
        reply = self.call("POST", "/activities/contacts_json_import", {"import_data": rows, "list_ids": ids, **top})
        assert reply.status == 201, reply.body
        return str(json.loads(reply.body)["activity_id"])

    def run_import(self, rows: list[dict[str, object]], *lists: str, **top: object) -> Any:
        """POST an import, wait for its end, and return the activity."""
        activity_id = self.start_import(rows, *lists, **top)
        self.wait(60)
        return self.get(f"/activities/{activity_id}")

    def ids(self, *addresses: str) -> list[str]:
        """The contact ids of people who must be there."""
        return [str(shown(self, one)["contact_id"]) for one in addresses]

    def run_job(self, path: str, body: dict[str, object]) -> Any:
        """POST a bulk job that must be accepted, wait for its end, and return the activity."""
        reply = self.call("POST", f"/activities/{path}", body)
        assert reply.status == 201, reply.body
        self.wait(60)
        return self.get(f"/activities/{json.loads(reply.body)['activity_id']}")

    def auth(self, path: str, agent: str = "test/1", method: str = "POST", **form: str) -> Reply:
        """One request to the auth host."""
        sent = {"content-type": FORM, "user-agent": agent}
        return self.cc.handle_auth(Request("cc_auth", method, path, (), sent, urlencode(form).encode()))


def small_account() -> World:
    """An account with one contact of each kind."""
    return World(
        [
            person("ann@example.com", "Newsletter", permission_to_send="explicit", custom_fields={"kibo_id": "7"}),
            person("Bob@Example.com", "Newsletter", "Customers 2019"),
            opted_out("out@example.com", EARLIER, "Newsletter"),
            person("wait@example.com", permission_to_send="pending_confirmation"),
            person("hold@example.com", permission_to_send="temp_hold"),
            deleted("gone@example.com", date(2016, 7, 8)),
        ]
    )


def shown(world: World, address: str) -> dict[str, Any]:
    """A contact that must be there, as the API shows it."""
    contact = world.cc.contact(address)
    assert contact is not None
    return contact


def problems(reply: Reply) -> list[dict[str, str]]:
    """The array of an error."""
    found = json.loads(reply.body)
    assert isinstance(found, list)
    return found


def error_key(reply: Reply) -> str:
    """The key of an error that is an object."""
    return str(json.loads(reply.body)["error_key"])
