"""HTTP to the vendors: one call done safely (`http`), and what its answer means (`classification`)."""

from ccsync.transport.ahead import Ahead
from ccsync.transport.calls import Answer, Call, Clock, Gate, Token, origin
from ccsync.transport.classification import Kind, Meaning, classify
from ccsync.transport.http import Transport, backoff_seconds

__all__ = [
    "Ahead",
    "Answer",
    "Call",
    "Clock",
    "Gate",
    "Kind",
    "Meaning",
    "Token",
    "Transport",
    "backoff_seconds",
    "classify",
    "origin",
]
