"""Scripted faults on the n-th matching call, and hooks just before it."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ccsync.sandbox.wire import Reply, Request

KINDS = ("status", "reset-before", "reset-after", "truncated", "wrong-body", "delay", "drip")
VENDORS = ("kibo_home", "kibo_tenant", "cc_api", "cc_auth")


@dataclass(slots=True)
class Matcher:
    """Matches calls by vendor, method and start of the path: `times` of them from the `nth` on."""

    vendor: str | None = None
    method: str | None = None
    path: str | None = None
    nth: int | None = 1  # None: every one
    times: int = 1
    seen: int = 0

    def __post_init__(self) -> None:
        """Refuse values that can never match."""
        if self.vendor not in (None, *VENDORS):
            raise ValueError(f"vendor must be one of {', '.join(VENDORS)}")
        if self.method is not None and self.method != self.method.upper():
            raise ValueError("method is in capitals")
        if (self.nth is not None and self.nth < 1) or self.times < 1:
            raise ValueError("nth and times count from 1")
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"path is no regular expression: {error}") from None

    def matches(self, request: Request) -> bool:
        """Count the call if it matches; is it one of the chosen? `path` is a pattern for the start of the path."""
        if self.vendor not in (None, request.vendor) or self.method not in (None, request.method):
            return False
        if self.path is not None and not re.match(self.path, request.path):
            return False
        self.seen += 1
        return self.nth is None or self.nth <= self.seen < self.nth + self.times


@dataclass(slots=True)
class Fault:
    """One scripted fault. `reset-after`, `truncated` and `wrong-body` happen after the effect."""

    kind: str
    matcher: Matcher
    status: int = 503
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def has_effect(self) -> bool:
        """Whether the vendor carries out the call."""
        return self.kind not in ("status", "reset-before")

    def reply(self, real: Reply) -> Reply:
        """The answer that goes out instead of the real one."""
        if self.kind == "status":
            return Reply(self.status, self.body.encode(), self.content_type, self.headers)
        if self.kind == "wrong-body":
            return Reply(200, self.body.encode(), self.content_type, real.headers)
        return real


class Faults:
    """The faults and hooks of one sandbox."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._hooks: list[tuple[Matcher, Callable[[], None]]] = []
        self._lock = threading.Lock()  # both vendors are called at the same time

    def add(
        self,
        kind: str,
        *,
        vendor: str | None = None,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = 1,
        times: int = 1,
        status: int = 503,
        body: str = "",
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        seconds: float = 0.0,
    ) -> Fault:
        """Script a fault; `nth` counts matching calls from now. Raises `ValueError` for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        matcher = Matcher(vendor, method, path, nth, times)
        fault = Fault(kind, matcher, status, body, content_type, headers or {}, seconds)
        self._faults.append(fault)
        return fault

    def before(
        self,
        hook: Callable[[], None],
        *,
        vendor: str | None = None,
        method: str | None = None,
        path: str | None = None,
        nth: int | None = None,
    ) -> None:
        """Call `hook` just before the n-th matching call is handled (every one when `nth` is not given)."""
        self._hooks.append((Matcher(vendor, method, path, nth), hook))

    def clear(self) -> None:
        """Forget all faults and hooks."""
        self._faults.clear()
        self._hooks.clear()

    def run_hooks(self, request: Request) -> None:
        """Run the hooks that this call triggers."""
        with self._lock:
            met = [hook for matcher, hook in self._hooks if matcher.matches(request)]
        for hook in met:
            hook()

    def of(self, request: Request) -> Fault | None:
        """The fault for this call, if any; every matcher counts the call."""
        with self._lock:
            met = [fault for fault in self._faults if fault.matcher.matches(request)]
        return met[0] if met else None
