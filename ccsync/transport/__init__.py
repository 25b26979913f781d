"""HTTP to the vendors: one call done safely (`http`), and what its answer means (`verdicts`)."""

from ccsync.transport.calls import Answer, Call, Clock, Gate, Token, origin
from ccsync.transport.http import Transport, backoff_seconds
from ccsync.transport.verdicts import Kind, Verdict, classify

__all__ = [
    "Answer",
    "Call",
    "Clock",
    "Gate",
    "Kind",
    "Token",
    "Transport",
    "Verdict",
    "backoff_seconds",
    "classify",
    "origin",
]
