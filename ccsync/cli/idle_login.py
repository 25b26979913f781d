"""How long the Constant Contact login has been unused, and a warning before it expires."""

from dataclasses import dataclass
from datetime import datetime

from ccsync.cli.terminal import screen
from ccsync.run.vendor_names import CONSTANT_CONTACT, LAPSES_AFTER, OLD_AFTER
from ccsync.state import Store, properties, tokens
from ccsync.state.database.times import to_text
from ccsync.words import days_ago

WARNED_OF = "warned_of_login"
"""The renewal time of the login that was last warned about."""


@dataclass(frozen=True, slots=True)
class Age:
    """When a login was last renewed, whole days since, and when it expires if nothing renews it."""

    renewed_at: datetime
    days: int
    lapses_at: datetime


def age_of_login(store: Store, now: datetime) -> Age | None:
    """The age of the saved login, or `None` without one. At least 0 days, even if the clock was set back."""
    saved = tokens.get(store, CONSTANT_CONTACT)
    if saved is None:
        return None
    days = max(0, (now - saved.obtained_at).days)
    return Age(saved.obtained_at, days, saved.obtained_at + LAPSES_AFTER)


def warn(store: Store, now: datetime) -> None:
    """Warn on a terminal that the login is about to expire. Changes nothing."""
    if screen.may_ask():
        _say(age_of_login(store, now))


def warn_once(store: Store, now: datetime) -> None:
    """Warn; without a terminal only once per login, because cron would mail it every half hour. An expired login is
    reported by the run itself.
    """
    age = age_of_login(store, now)
    if age is None or not OLD_AFTER.days <= age.days < LAPSES_AFTER.days:
        return
    renewed = to_text(age.renewed_at)
    if screen.may_ask() or properties.get(store, WARNED_OF) != renewed:
        _say(age)
        properties.put(store, WARNED_OF, renewed)


def _say(age: Age | None) -> None:
    if age is None or age.days < OLD_AFTER.days:
        return
    end = f"on {age.lapses_at:%Y-%m-%d}. Any run that uses it renews it: ccsync login --check"
    if age.days >= LAPSES_AFTER.days:
        end = f"which was {age.lapses_at:%Y-%m-%d}: ccsync login"
    screen.say(
        f"Warning: the Constant Contact login was last renewed {days_ago(age.days)};"
        f" it expires after {LAPSES_AFTER.days} days without use, {end}"
    )
