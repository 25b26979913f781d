"""Kibo's client side for the sandbox's own tests: `requests`, a token, the tenant's header."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import requests

from ccsync.sandbox.box import Sandbox

ACCOUNTS = "/api/commerce/customer/accounts"
EVENTS = "/api/event/pull"
SIGN_IN = "/api/platform/applications/authtickets/oauth"


class KiboWorld(AbstractContextManager["KiboWorld"]):
    """A signed-in client of the sandbox's Kibo."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.session = requests.Session()
        self.credentials = {
            "client_id": box.settings.kibo_client_id,
            "client_secret": box.settings.kibo_client_secret,
            "grant_type": "client_credentials",
        }
        self.headers = {"x-vol-tenant": str(box.settings.tenant_id)}
        self.renew()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def sign_in(self, **changes: object) -> requests.Response:
        body = {**self.credentials, **changes}
        return self.session.post(self.box.urls.kibo_home + SIGN_IN, json=body, timeout=5)

    def renew(self) -> None:
        """Go on with a new token, as after an hour."""
        self.headers["Authorization"] = f"Bearer {self.sign_in().json()['access_token']}"

    def url(self, path: str) -> str:
        return self.box.urls.kibo_tenant + path

    def get(self, path: str, timeout: float = 5, **params: object) -> requests.Response:
        asked = {name: str(value) for name, value in params.items()}
        return self.session.get(self.url(path), params=asked, headers=self.headers, timeout=timeout)

    def accounts(self, **params: object) -> requests.Response:
        return self.get(ACCOUNTS, **params)  # type: ignore[arg-type]

    def ids(self, **params: object) -> list[int]:
        """The ids of one page."""
        answer = self.accounts(**params)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    def pull(self, event_id: str = "", host: str = "kibo_home", **params: object) -> requests.Response:
        """A page of events, or one event."""
        base = self.box.urls.kibo_home if host == "kibo_home" else self.box.urls.kibo_tenant
        asked = {name: str(value) for name, value in params.items()}
        path = f"{EVENTS}/{event_id}" if event_id else EVENTS
        return self.session.get(base + path, params=asked, headers=self.headers, timeout=5)

    def events(self, **params: object) -> list[dict[str, Any]]:
        """The items of one page of events, which must succeed."""
        answer = self.pull(**params)  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def put(self, account_id: int, body: object, **params: str) -> requests.Response:
        return self.session.put(
            self.url(f"{ACCOUNTS}/{account_id}"), params=params, json=body, headers=self.headers, timeout=5
        )
