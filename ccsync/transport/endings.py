"""The errors that end a call."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from ccsync.errors import (
    AnswerLost,
    CcsyncError,
    LoginNeeded,
    QuotaSpent,
    RefusedError,
    TooLate,
    VendorThrottling,
    VendorUnreachable,
)
from ccsync.transport.calls import Call
from ccsync.transport.classification import Kind, Meaning
from ccsync.words import counted

_REFUSAL_FIXES = {
    403: "ccsync login --check shows what the login may not do. Otherwise check that the app is active and, for Kibo,"
    " has its behaviors.",
    404: "Check the ids and URLs in the config.",
}


def foreign_host(vendor: str, origins: Iterable[str]) -> RefusedError:
    """A link that leads elsewhere is never followed."""
    return RefusedError(
        f"A {vendor} answer points to a host that is not {vendor}'s; nothing was sent there.",
        f"allowed: {', '.join(sorted(origins))}.",
        "Check the URLs in the config, and any proxy between this machine and the vendor.",
    )


def too_late(vendor: str, call: Call) -> TooLate:
    """The error for a call that must not be sent after a wait."""
    return TooLate(
        f"{vendor} did not take {call.shown} at once.",
        "what it says may be out of date after a wait, so it was not sent again.",
        "Nothing is lost; the next run tries again.",
    )


def throttling(vendor: str, seconds: float) -> VendorThrottling:
    """The error for a wait that is longer than the run may take."""
    asked = counted(round(seconds / 60), "minute") if seconds <= 86_400 else "more than a day"
    return VendorThrottling(
        f"{vendor} asks for a wait of {asked}, longer than this run may take.",
        "it limits how many calls a tenant or key may make.",
        "Nothing is lost; the next run after that continues.",
    )


def refusal(vendor: str, call: Call, meaning: Meaning) -> CcsyncError:
    """The error for a refusal that waiting does not change."""
    if meaning.kind is Kind.UNAUTHORIZED:
        return LoginNeeded(
            f"{vendor} refused the saved login.",
            f"{call.shown}: 401 {meaning.detail}".rstrip() + ", also with a new token.",
            "ccsync login",
        )
    if meaning.kind is Kind.QUEUE_FULL:
        return VendorThrottling(
            f"{vendor} has too many bulk jobs waiting for this account.",
            "it queues 1,000 at most.",
            "Nothing is lost; run again in a few minutes.",
        )
    return RefusedError(
        f"{vendor} refused {call.shown}.",
        f"{meaning.status} {meaning.detail}".rstrip() + ".",
        _REFUSAL_FIXES.get(meaning.status, "Run again with -vv --log-file FILE and look at the calls."),
        status=meaning.status,
    )


def quota_spent(vendor: str) -> QuotaSpent:
    """Nothing more today, as the vendor says."""
    return QuotaSpent(
        f"{vendor} says that today's calls are used up.",
        "the quota belongs to the API key, and other programs may use the same key.",
        "Nothing is lost; the next run after 00:00 UTC continues.",
    )


def answer_lost(vendor: str, call: Call, detail: str) -> AnswerLost:
    """A call that must not be repeated blindly went out."""
    return AnswerLost(
        f"The answer of {vendor} to {call.shown} did not arrive.",
        f"{detail}; whether it took effect is not known yet.",
        "The next run finds out before it sends anything again.",
    )


def unreachable(vendor: str, call: Call, detail: str) -> VendorUnreachable:
    """The error for a call that failed too often."""
    return VendorUnreachable(
        f"{vendor} could not be reached.",
        f"{urlsplit(call.url).hostname}: {detail}.",
        "Nothing is lost; the next run continues. If it persists: ccsync login --check",
    )
