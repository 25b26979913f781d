"""Values that must never be printed or logged: the sandbox's secrets and tokens, and anybody's address."""

import re

from ccsync.sandbox.settings import SandboxSettings

CANARIES = {
    "kibo secret": re.compile(re.escape(SandboxSettings().kibo_client_secret)),
    "token": re.compile(r"\beyJ[A-Za-z0-9_-]{20,}|Bearer\s+[A-Za-z0-9._-]{8,}"),
    "address": re.compile(r"[\w.+-]+@example\.(?:com|org)"),
}
"""People of the sandbox live at example.com and example.org; its tokens look like JWTs."""

ACCOUNT_ADDRESSES = {"owner@example.com", "info@example.com"}
"""The Constant Contact account's own addresses: login and configure show them to their owner."""


def leaks_in(text: str, allowed: set[str]) -> list[str]:
    """The names of the canaries found in `text`, less the allowed ones."""
    found = []
    for name, pattern in CANARIES.items():
        hits = set(pattern.findall(text)) - ACCOUNT_ADDRESSES
        if hits and name not in allowed:
            found.append(f"{name}: {sorted(hits)[0]}")
    return found
