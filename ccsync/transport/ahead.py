"""Makes calls ahead of their turn: several are in flight at once, and their answers are taken in order.

While the caller waits for an answer, a call goes out in every slot that the pace allows. So as many are under way as
the rate times the latency asks for, and answers do not grow old. Everything but the exchange itself stays on the
caller's thread: the state file, the counting, the clock.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from ccsync.errors import CcsyncError
from ccsync.transport.calls import Call, Token
from ccsync.transport.exchange import Flight

T = TypeVar("T")
Ahead = Generator[T, None, None]
"""The items whose calls are in flight; a caller that stops early must close it."""
CallsOf = Callable[[T], Sequence[Call]]
"""The calls that an item needs."""
MOST = 16
"""The most calls in flight plus answers not yet taken."""
Key = tuple[str, str, tuple[tuple[str, str], ...], object]
Launch = Callable[[Call, Token], Flight | None]
"""Sends a call that is not due yet; `None` when the vendor has to be left alone for a while. Raises `CcsyncError`."""


def _key(call: Call) -> Key:
    body = call.body if isinstance(call.body, bytes) else None
    return call.method, call.url, tuple(sorted((call.params or {}).items())), body


class Flights:
    """The calls of one transport that are under way and not asked for yet. `drop` ends one that nobody wants."""

    def __init__(self, launch: Launch, drop: Callable[[Flight], None]) -> None:
        self._launch, self._drop = launch, drop
        self._ahead: dict[Key, Flight] = {}
        self._windows: list[_Window[object]] = []

    def take(self, call: Call) -> Flight | None:
        """The flight of this very call, if there is one: it serves once. A write makes older reads worthless."""
        flight = self._ahead.pop(_key(call), None)
        if call.method != "GET":
            for key in [key for key in self._ahead if key[0] == "GET" and key[1] == call.url]:
                self._drop(self._ahead.pop(key))
        return flight

    def begin(self, call: Call, token: Token) -> bool:
        """Send a call whose answer is asked for later; false when it cannot go out now."""
        if len(self._ahead) >= MOST or _key(call) in self._ahead:
            return False
        flight = self._launch(call, token)
        if flight is not None:
            self._ahead[_key(call)] = flight
        return flight is not None

    def window(self, items: Iterable[T], calls_of: CallsOf[T], token: Token, most: int) -> Ahead[T]:
        """The items in order, while the calls of those to come are made. What was not asked for is dropped.

        It makes none while `most` reads are under way or not taken yet, which leaves room for writes.
        """
        window = _Window(iter(items), calls_of, token, most)
        self._windows.append(window)  # type: ignore[arg-type]
        try:
            while window.waiting or window.pull():
                item, calls = window.waiting.popleft()
                while window.unsent and window.unsent[0] in calls and self._send_next(window):
                    pass
                if all(one.is_over for one in self._ahead.values()):
                    self._send_next(window)  # the vendor works while the caller does
                window.skip(calls)
                yield item
                self._forget(calls)
        finally:
            self._windows.remove(window)  # type: ignore[arg-type]
            for _, calls in window.waiting:
                self._forget(calls)

    def fill(self) -> None:
        """Send what may go out while the caller waits for an answer: one call at a time waits for its slot."""
        if any(one.went_wrong for one in self._ahead.values()):
            self._call_off_unsent()
            return
        for window in reversed(self._windows):
            while all(one.is_out for one in self._ahead.values()) and self._send_next(window):
                pass

    def clear(self) -> None:
        """Drop all of them."""
        while self._ahead:
            self._drop(self._ahead.popitem()[1])

    def _send_next(self, window: "_Window[T]") -> bool:
        reads = sum(key[0] == "GET" for key in self._ahead)
        if window.is_closed or reads >= window.most or len(self._ahead) >= MOST or not (window.unsent or window.pull()):
            return False
        if not window.unsent:
            return len(window.waiting) < MOST  # an item without calls
        try:
            return self.begin(window.unsent.popleft(), window.token)
        except CcsyncError:
            window.is_closed = True  # the caller gets the error when it asks for the answer
            return False

    def _forget(self, calls: Sequence[Call]) -> None:
        for call in calls:
            flight = self._ahead.pop(_key(call), None)
            if flight is not None:
                self._drop(flight)

    def _call_off_unsent(self) -> None:
        """The vendor is failing or asks for a wait: send nothing more until that answer has been handled."""
        for key in [key for key, one in self._ahead.items() if not one.is_out and key[0] == "GET"]:
            self._drop(self._ahead.pop(key))


class _Window(Generic[T]):
    """Items to come, and the calls of theirs that have not been made yet."""

    def __init__(self, source: Iterator[T], calls_of: CallsOf[T], token: Token, most: int) -> None:
        self._source, self._calls_of, self.token, self.most = source, calls_of, token, most
        self.waiting = deque[tuple[T, Sequence[Call]]]()
        self.unsent = deque[Call]()
        self.is_closed = False

    def pull(self) -> bool:
        """Take one more item from the source, if there is one."""
        for item in self._source:
            calls = self._calls_of(item)
            self.waiting.append((item, calls))
            self.unsent.extend(calls)
            return True
        return False

    def skip(self, calls: Sequence[Call]) -> None:
        """It is the turn of these: what has not been made of them is made by whoever asks."""
        while self.unsent and self.unsent[0] in calls:
            self.unsent.popleft()
