"""Constant Contact's wire: every call passes the consent guard, pages follow relative links and nothing else."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ccsync import shapes
from ccsync.constant_contact.consent_guard import check_consent
from ccsync.constant_contact.records import link
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.models import JsonObject
from ccsync.transport.calls import Answer, Call, Token
from ccsync.transport.http import Transport

MOST_PAGES = 100_000
"""A listing that never ends is a fault, not a large account."""
MOST_EMPTY_PAGES = 20
"""So many pages without a row, one after another, will not be followed by one."""


class Wire:
    """What every client of this vendor needs. `api_url` ends in /v3."""

    def __init__(self, transport: Transport, token: Token, *, api_url: str) -> None:
        self.transport = transport
        self._token = token
        self._api_url = api_url

    def _json(self, call: Call) -> tuple[Answer, object]:
        check_consent(call)
        return self.transport.json(call, self._token)

    def _object(self, path: str) -> JsonObject:
        _, value = self._json(Call("GET", self._api_url + path))
        record = shapes.as_object(value)
        if record is None:
            raise VendorUnreachable(f"Constant Contact's answer to GET {path} is no object.")
        return record

    def _pages(self, path: str, params: Mapping[str, str], key: str) -> Iterator[list[JsonObject]]:
        """The pages of a listing, along its relative `_links.next.href`; an expired cursor restarts it once."""
        call = Call("GET", self._api_url + path, params=params)
        seen: set[int] = set()
        restarts = empty = 0
        while True:
            try:
                _, value = self._json(call)
            except RefusedError as error:
                if error.status not in (400, 404, 410) or not seen or restarts:
                    raise
                restarts, call = 1, Call("GET", self._api_url + path, params=params)
                seen.clear()
                continue
            record = shapes.as_object(value)
            if record is None or not isinstance(record.get(key), list):
                raise VendorUnreachable(
                    f"Constant Contact's answer to GET {path} is no page of {key}.",
                    "it has another shape than described.",
                    "Try again later.",
                )
            rows = shapes.as_objects(record[key])
            yield rows
            href = link(record, "next")
            if href is None:
                return
            empty = 0 if rows else empty + 1
            if hash(href) in seen or len(seen) >= MOST_PAGES or empty >= MOST_EMPTY_PAGES:
                raise VendorUnreachable(
                    f"Constant Contact's pages of {key} go round in circles.",
                    f"GET {path} led to a page that was read before, or to nothing but empty ones.",
                    "Nothing was concluded from it; try again later.",
                )
            seen.add(hash(href))
            call = Call("GET", self._join(href))

    def _join(self, href: str) -> str:
        """The URL of a relative next link. Never by joining texts blindly: `//evil.example` is relative, too."""
        parts = urlsplit(href)
        base = urlsplit(self._api_url)
        is_relative = (
            not parts.scheme
            and not parts.netloc
            and href.startswith(base.path + "/")
            and href.isprintable()
            and "\\" not in href
            and " " not in href
        )
        if not is_relative:
            raise RefusedError(
                "A Constant Contact answer points to another host for its next page; nothing was sent there.",
                "next links of the vendor are relative and begin with /v3/.",
                "Check [constant_contact] api_url, and any proxy between this machine and the vendor.",
            )
        return f"{base.scheme}://{base.netloc}{href}"
