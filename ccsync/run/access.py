"""How jobs reach the vendors: tokens that renew themselves, gates that pace and count every call."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta

from ccsync import oauth
from ccsync.errors import LoginNeeded, QuotaSpent
from ccsync.kibo.sign_in import request_token
from ccsync.run.vendor_names import CONSTANT_CONTACT, KIBO, LAPSES_AFTER, SIGN_IN
from ccsync.state import Store, properties, tokens
from ccsync.state.database.times import to_text
from ccsync.state.log import calls
from ccsync.state.tokens import SavedToken
from ccsync.transport.http import Transport
from ccsync.words import days_ago, local_time

_NAMES = {KIBO: "Kibo", CONSTANT_CONTACT: "Constant Contact", SIGN_IN: "Constant Contact's sign-in"}

EARLY = timedelta(minutes=5)
"""A token is renewed this long before it expires: clocks differ, and calls take time."""

Now = Callable[[], datetime]


def is_good(saved: SavedToken, now: datetime) -> bool:
    """Is a token good for a few more minutes? A token with a shorter life is used for half of it.

    If its date is in the future, our clock was ahead then, and nobody knows how long it lasts.
    """
    lifetime = saved.expires_at - saved.obtained_at
    return (
        lifetime > timedelta()
        and saved.obtained_at <= now + EARLY
        and now < saved.expires_at - min(EARLY, lifetime / 2)
    )


class LedgerGate:
    """Paces and counts the calls to one vendor in the state file; satisfies `transport.Gate`.

    `per_day` is the vendor's daily quota and `reserve` the part that only opt-outs may use.
    """

    def __init__(
        self, store: Store, vendor: str, now: Now, *, per_second: float, per_day: int | None = None, reserve: int = 0
    ) -> None:
        self._store = store
        self._vendor = vendor
        self._now = now
        # A little slower than the limit: the vendor counts arrivals, and those jitter.
        self._seconds_apart = (1.1 if per_day else 1.0) / per_second
        self._per_day = per_day
        self._reserve = reserve
        self._is_for_opt_outs = False

    def admit(self) -> float:
        """Count one call and return the seconds to wait before it; see `transport.Gate`."""
        most = self._per_day
        if most is not None and not self._is_for_opt_outs:
            most -= self._reserve
        admission = calls.admit(self._store, self._vendor, self._now(), self._seconds_apart, most)
        if admission.closed_until is not None:
            kept = f", {self._reserve:,} kept for opt-outs" if most != self._per_day else ""
            count = f" ({admission.calls_today:,} of {self._per_day:,}{kept})" if self._per_day else ""
            raise QuotaSpent(
                f"Today's calls to {_NAMES.get(self._vendor, self._vendor)} are used up{count}.",
                "the vendor limits calls per day for each API key.",
                f"Nothing is lost; a run after {local_time(admission.closed_until)} continues.",
            )
        return admission.wait_seconds

    def give_back(self) -> None:
        """A counted call is not made after all; its slot is lost."""
        calls.give_back(self._store, self._vendor, self._now())

    def hold(self, seconds: float) -> None:
        """No call to this vendor before `seconds` have passed."""
        calls.hold(self._store, self._vendor, self._now(), seconds)

    def close_for_today(self) -> None:
        """The vendor says that today's quota is spent."""
        calls.close_for_today(self._store, self._vendor, self._now())

    def calls_today(self) -> int:
        """Calls to this vendor on this UTC day, by all runs."""
        return calls.calls_on(self._store, self._vendor, self._now())

    @contextmanager
    def for_opt_outs(self) -> Iterator[None]:
        """Within this, the reserve may be used."""
        before, self._is_for_opt_outs = self._is_for_opt_outs, True
        try:
            yield
        finally:
            self._is_for_opt_outs = before


@dataclass(slots=True)
class KiboToken:
    """Kibo's application token, kept in the state file for as long as it lasts; satisfies `transport.Token`.

    One that `begins_anew` asks for a token whatever is kept: only that shows whether the secret is right.
    """

    store: Store
    transport: Transport
    now: Now
    _: KW_ONLY
    home_url: str
    client_id: str
    secret: Callable[[], str]
    begins_anew: bool = False
    _mark: str | None = None

    def current(self) -> str:
        """A token that is good for some minutes at least."""
        saved = None if self.begins_anew else tokens.get(self.store, KIBO)
        # A token of another key or secret is not used: it would hide for an hour that those of the config are wrong.
        if saved is not None and is_good(saved, self.now()) and saved.scope == self._marked():
            return saved.access_token
        return self._request()

    def renew(self, refused: str) -> str:
        """Another token than the refused one."""
        saved = tokens.get(self.store, KIBO)
        return saved.access_token if saved and saved.access_token != refused else self._request()

    def _request(self) -> str:
        secret = self.secret()
        issued = request_token(self.transport, self.home_url, self.client_id, secret)
        self.begins_anew = False
        at = self.now()
        ends = at + timedelta(seconds=issued.expires_in)
        # The scope column holds whose token it is.
        self._mark = _mark_of(self.client_id, secret)
        tokens.save(self.store, SavedToken(KIBO, issued.access_token, None, self._mark, at, ends))
        return issued.access_token

    def _marked(self) -> str:
        """A mark of the key and secret of the config. A run asks for the secret once: a command may give it."""
        self._mark = self._mark or _mark_of(self.client_id, self.secret())
        return self._mark


@dataclass(slots=True)
class ConstantContactToken:
    """The operator's login, refreshed when due; satisfies `transport.Token`.

    The caller holds the writers' lock, or `renewing` takes it. A refresh is committed before the new token is used,
    and the saved token is read again first: another run may have refreshed it. https://github.com/phpfui/ConstantContact/issues/19
    shows what happens otherwise.
    """

    store: Store
    transport: Transport
    now: Now
    app: oauth.App
    renewing: Callable[[], AbstractContextManager[object]] = nullcontext
    _refusal: LoginNeeded | None = None

    def current(self) -> str:
        """A token that is good for some minutes at least. Raises `LoginNeeded` when there never was a login."""
        saved = self._saved()
        if self._is_good(saved):
            return saved.access_token
        with self.renewing():
            saved = self._saved()
            return saved.access_token if self._is_good(saved) else self._refresh(saved)

    def renew(self, refused: str) -> str:
        """Another token than the refused one. Raises `LoginNeeded` when only a person can get one."""
        with self.renewing():
            saved = self._saved()
            return saved.access_token if saved.access_token != refused else self._refresh(saved)

    def _is_good(self, saved: SavedToken) -> bool:
        """A token of another key or secret is not used: it would hide for a day that those of the config are wrong."""
        mark = _mark_of(self.app.client_id, self.app.client_secret)
        return is_good(saved, self.now()) and properties.get(self.store, _APP) in (None, mark)

    def _saved(self) -> SavedToken:
        saved = tokens.get(self.store, CONSTANT_CONTACT)
        if saved is None:
            raise LoginNeeded("Nobody has logged in to Constant Contact yet.", "no login is saved.", "ccsync login")
        return saved

    def _refresh(self, saved: SavedToken) -> str:
        if saved.refresh_token is None:
            raise LoginNeeded("The Constant Contact login has ended.", "it has no refresh token.", "ccsync login")
        if self._refusal is not None:
            raise self._refusal  # asked for each step of a run, the vendor holds back its sign-in for a minute
        try:
            answer = oauth.refresh(self.transport, self.app, saved.refresh_token, saved.scope)
        except LoginNeeded as error:
            days = max(0, (self.now() - saved.obtained_at).days)
            when = f"it was last renewed {local_time(saved.obtained_at)}" + (f" ({days_ago(days)})" if days else "")
            limit = f"; a login expires after {LAPSES_AFTER.days} days without use" if days >= LAPSES_AFTER.days else ""
            self._refusal = LoginNeeded(error.what, f"{error.why.rstrip('.')}; {when}{limit}.", error.fix)
            properties.put(self.store, _REFUSED, to_text(saved.obtained_at))
            raise self._refusal from None
        # A Long Lived app may not send a refresh token back: the old one stays valid.
        save_login(self.store, answer, self.app, self.now(), previous=saved.refresh_token)
        return answer.access_token


_APP = "constant_contact_app"
_REFUSED = "constant_contact_refused"
"""When the login was renewed last that was refused then."""


def is_login_refused(store: Store) -> bool:
    """Did Constant Contact refuse to renew the login that is saved?"""
    saved = tokens.get(store, CONSTANT_CONTACT)
    return saved is not None and properties.get(store, _REFUSED) == to_text(saved.obtained_at)


def save_login(
    store: Store, answer: oauth.TokenAnswer, app: oauth.App, at: datetime, previous: str | None = None
) -> None:
    """Commit Constant Contact's tokens, with a mark of the app that they were issued to."""
    ends = at + timedelta(seconds=answer.expires_in)
    refresh_token = answer.refresh_token or previous
    with store.transaction():
        tokens.save(store, SavedToken(CONSTANT_CONTACT, answer.access_token, refresh_token, answer.scope, at, ends))
        properties.put(store, _APP, _mark_of(app.client_id, app.client_secret))


def _mark_of(client_id: str, secret: str | None) -> str:
    return hashlib.sha256(f"{client_id} {secret or ''}".encode()).hexdigest()
