"""One HTTP call, done safely: bounded in time and size, never redirected, retried only where that is harmless.

Knows nothing of what the calls mean. What an answer means for the next step is decided in `classification`.
The session, the clock and the gate that paces and counts calls come from outside.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import ExitStack
from datetime import datetime
from typing import TypeVar

from ccsync import __version__
from ccsync.decoding import decode
from ccsync.errors import AnswerLost, NoWayOut, TooLate
from ccsync.transport.ahead import MOST, Ahead, CallsOf, Flights
from ccsync.transport.calls import Answer, Call, Clock, Gate, Token, origin
from ccsync.transport.classification import Kind, Meaning, classify, decoded
from ccsync.transport.endings import answer_lost, foreign_host, quota_spent, refusal, throttling, too_late, unreachable
from ccsync.transport.exchange import Flight, trouble
from ccsync.transport.late import requests
from ccsync.transport.this_machine import obstacle, proxy_wants_login
from ccsync.transport.vendor_clock import VendorClock
from ccsync.words import counted

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_ATTEMPTS = 5
FIRST_ATTEMPTS = 2
"""Before any call has got out of this machine, so that its problem is named within seconds."""
PROXY_WANTS_LOGIN = 407
MAX_BACKOFF_SECONDS = 30.0
MOST_READINGS = 3
LONGEST_WAIT_SECONDS = 3_600.0
"""Kibo's Retry-After can be an hour. A longer wait is not worth a waiting process and is not imposed on other runs."""
PACING_SECONDS = 5.0
"""A wait this short only paces calls; during a longer one the data may change."""
LONG_SECONDS = 60.0
"""A wait this long is announced."""

USER_AGENT = f"ccsync/{__version__}"
"""Cloudflare in front of Constant Contact's sign-in host answers 403 to Python's default."""


class Transport:
    """Makes calls to one vendor's hosts, and to no other."""

    def __init__(
        self,
        *,
        vendor: str,
        origins: Collection[str],
        clock: Clock,
        gate: Gate,
        session: Callable[[], requests.Session] = lambda: requests.Session(),
        chance: random.Random | None = None,
        on_boundary: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.vendor = vendor
        self._origins = frozenset(origins)
        self._clock = clock
        self._gate = gate
        self._new_session = session
        self._idle: list[requests.Session] = []
        self._news = threading.Event()
        self._flights = Flights(self._launch, self._drop)
        self._writing: dict[Flight, ExitStack] = {}
        self._chance = chance or random.Random()  # noqa: S311 - jitter, not a secret
        self._on_boundary = on_boundary
        self.calls = 0
        self.retries = 0
        self.dates = VendorClock()
        self.on_long_wait: Callable[[str, float], None] = lambda _vendor, _seconds: None
        """Called with the vendor and the seconds before a wait of `LONG_SECONDS` or more."""
        self._no_way_out: NoWayOut | None = None

    def server_time(self, fallback: datetime) -> datetime:
        """What the vendor's clock shows, at the earliest where there is doubt; `fallback` is what ours shows."""
        return self.dates.read(self._clock.monotonic(), fallback).earliest

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._flights.clear()
        while self._idle:
            self._idle.pop().close()

    def json(
        self, call: Call, token: Token | None = None, decode: Callable[[bytes], object] = decode
    ) -> tuple[Answer, object]:
        """Make `call` and decode its JSON; see `send` for what is raised.

        An answer that should be JSON and is not counts as one that did not arrive.
        Refusals named in `call.accepts` may have an empty body (`None`).
        """
        return self._attempt(call, token, decode)

    def send(self, call: Call, token: Token | None = None) -> Answer:
        """Make `call`, wait and retry as its answers ask, and return the answer.

        Raises `VendorUnreachable` (`AnswerLost` when the effect is unknown), `VendorThrottling`,
        `QuotaSpent`, `OutOfTime`, `LoginNeeded` after a second 401, `RefusedError` for any other
        refusal whose status `call.accepts` does not list.
        """
        return self._attempt(call, token, None)[0]

    def ahead(self, items: Iterable[T], calls_of: CallsOf[T], token: Token, most: int = MOST) -> Ahead[T]:
        """The items, while the calls of those to come are made: `json` and `send` find the answers there.

        Only for what is read, `most` at once. One that does not go out ahead, or fails, is made in its turn.
        """
        return self._flights.window(items, calls_of, token, most)

    def begin(self, call: Call, token: Token) -> bool:
        """Send a call whose answer `json` takes later; false when it cannot go out right now."""
        return self._flights.begin(call, token)

    def anew(self, attempt: Callable[[], T]) -> T:
        """Do what reads a record and writes it back, from the reading on again when the write did not get through.

        Raises what `attempt` raises in the end.
        """
        for tries in range(1, MOST_READINGS):
            try:
                return attempt()
            except (AnswerLost, TooLate) as error:
                log.info("%s: %s", self.vendor, error.what)
                self._clock.sleep(backoff_seconds(tries, self._chance))
        return attempt()

    def _attempt(
        self, call: Call, token: Token | None, decode: Callable[[bytes], object] | None
    ) -> tuple[Answer, object]:
        self._check_origin(call.url)
        flight = self._flights.take(call)
        bearer = flight.bearer if flight else token.current() if token else None
        was_renewed = False
        tries = 0
        while True:
            if flight is None:
                if self._no_way_out is not None and not self.dates.answers and not tries:
                    raise self._no_way_out  # no call got out yet: each further one would wait for DNS in vain
                self._wait_for_turn(call)
                flight = self._begin(call, bearer)
            answer, trouble = self._arrival(flight)
            age, flight = self._clock.monotonic() - flight.answered_at, None
            if answer is None:
                meaning = Meaning(Kind.TRANSIENT, detail=trouble)
            else:
                meaning = classify(call.method, call.url, answer.status, answer.headers, answer.body)
                if answer.status in call.accepts and meaning.kind not in _NEVER_ACCEPTED:
                    meaning = Meaning(Kind.OK)
                if meaning.kind is Kind.OK:
                    value, meaning = decoded(answer, decode) if decode else (None, meaning)
                    if meaning.kind is Kind.OK:
                        return answer, value
            if meaning.kind is Kind.UNAUTHORIZED and token and bearer and not was_renewed:
                # Valid-looking tokens do get a 401 now and then: renew once, repeat once.
                bearer, was_renewed = token.renew(bearer), True
                if not call.may_wait:
                    raise too_late(self.vendor, call)
                continue
            tries += 1
            self._wait_or_raise(call, meaning, tries, age)

    def _check_origin(self, url: str) -> None:
        if origin(url) not in self._origins:
            raise foreign_host(self.vendor, self._origins)

    def _wait_for_turn(self, call: Call) -> None:
        self._clock.check()
        seconds = self._gate.admit()
        left = self._clock.seconds_left()
        if seconds > LONGEST_WAIT_SECONDS or (left is not None and seconds > left):
            raise throttling(self.vendor, seconds)
        if seconds >= LONG_SECONDS:
            self.on_long_wait(self.vendor, seconds)
        if seconds > 0:
            self._clock.sleep(seconds)
        if seconds > PACING_SECONDS and not call.may_wait:
            raise too_late(self.vendor, call)

    def _launch(self, call: Call, token: Token) -> Flight | None:
        """Send a call ahead of its turn, in the next slot; `None` when that is far away."""
        self._check_origin(call.url)
        self._clock.check()
        bearer, seconds, left = token.current(), self._gate.admit(), self._clock.seconds_left()
        if seconds > PACING_SECONDS or (left is not None and seconds > left):
            self._gate.give_back()
            return None
        flight = self._begin(call, bearer, seconds)
        if call.method != "GET":
            self._writing[flight] = ExitStack()
            self._writing[flight].enter_context(self._clock.calling())
        return flight

    def _drop(self, flight: Flight) -> None:
        """Cancel it; a call that was not sent yet does not count."""
        if flight.call_off():
            self.calls -= 1
            self._gate.give_back()
        if flight.is_free:
            self._idle.append(flight.session)
        self._writing.pop(flight, ExitStack()).close()

    def _begin(self, call: Call, bearer: str | None, seconds: float = 0.0) -> Flight:
        self.calls += 1
        self._on_boundary(f"before {call.shown}")
        return self._fly(call, bearer, seconds)

    def _fly(self, call: Call, bearer: str | None, seconds: float) -> Flight:
        if not self._idle:
            self._idle.append(self._new_session())
            self._idle[-1].headers["User-Agent"] = USER_AGENT
        flight = Flight(self._idle.pop(), call, bearer, self._clock, self._news)
        flight.start(seconds)
        return flight

    def _arrival(self, flight: Flight) -> tuple[Answer | None, str]:
        """Wait for the end of one try: the answer, or `None` and what went wrong on the way."""
        call = flight.call
        try:
            with self._clock.calling():
                answer = flight.wait(self._flights.fill)
        except (requests.exceptions.RequestException, OSError, TimeoutError) as error:
            self._on_boundary(f"after {call.shown}")
            log.info("%s %s: %s", self.vendor, call.shown, type(error).__name__)
            if not isinstance(error, TimeoutError):  # else its thread still uses it
                flight.session.close()
            found = obstacle(error, self.vendor, call.url)
            if found is not None and not isinstance(found, NoWayOut):
                raise found from error
            self._no_way_out = found
            return None, trouble(error)
        except BaseException:
            self._drop(flight)  # what was done meanwhile failed, as when the disk is full: its session is closed, too
            raise
        finally:
            self._writing.pop(flight, ExitStack()).close()
        self._idle.append(flight.session)
        if answer.status == PROXY_WANTS_LOGIN:
            raise proxy_wants_login(call.url)
        self._no_way_out = None
        self.dates.note(answer.headers.get("Date"), flight.answered_at)
        log.debug("%s %s: %d, %.0f ms", self.vendor, call.shown, answer.status, flight.seconds * 1000)
        self._on_boundary(f"after {call.shown}")
        if call.method == "GET" and self._clock.is_stopping():
            self._clock.check()  # what was only read can be read again; what took effect is noted by the caller first
        return answer, ""

    def _wait_or_raise(self, call: Call, meaning: Meaning, tries: int, age: float) -> None:
        """Wait before the next try, or raise what ends the call. The answer has been here for `age` seconds."""
        if meaning.kind in (Kind.THROTTLED, Kind.WAIT):
            # Refused before it was looked at: repeating is safe for any call.
            seconds = max(0.0, (meaning.wait_seconds or 1.0) - age)
            self._gate.hold(min(seconds, LONGEST_WAIT_SECONDS))
            left = self._clock.seconds_left()
            if seconds > LONGEST_WAIT_SECONDS or (left is not None and seconds > left) or tries >= 12:
                raise throttling(self.vendor, seconds)
            if not call.may_wait:
                raise too_late(self.vendor, call)
            if meaning.kind is Kind.THROTTLED:
                self._clock.sleep(self._chance.uniform(0, min(2.0**tries, MAX_BACKOFF_SECONDS)))
            return
        if meaning.kind is Kind.QUOTA:
            self._gate.close_for_today()
            raise quota_spent(self.vendor)
        if meaning.kind is not Kind.TRANSIENT:
            raise refusal(self.vendor, call, meaning)
        out = self._no_way_out
        if out is not None and (not call.is_repeatable or (tries >= FIRST_ATTEMPTS and not self.dates.answers)):
            raise out
        if not call.is_repeatable:
            raise answer_lost(self.vendor, call, meaning.detail)
        self.retries += 1
        if tries >= MAX_ATTEMPTS or self.retries > 10 + self.calls // 10:
            raise out or unreachable(self.vendor, call, f"{meaning.detail}, {counted(tries, 'attempt')}")
        self._clock.sleep(backoff_seconds(tries, self._chance))


_NEVER_ACCEPTED = frozenset({Kind.THROTTLED, Kind.WAIT, Kind.QUOTA, Kind.TRANSIENT})


def backoff_seconds(tries: int, chance: random.Random) -> float:
    """Full jitter: anything up to 1, 2, 4 … 30 seconds."""
    return chance.uniform(0, min(2.0 ** (tries - 1), MAX_BACKOFF_SECONDS))
