"""People: ccsync knows them by `person`, the keyed hash of their address in its comparison form."""

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

from ccsync.state import properties
from ccsync.state.database.store import Store


def person_key(store: Store) -> Callable[[str], bytes]:
    """The function from an address in its comparison form to its `person` (16 bytes)."""
    secret = bytes.fromhex(properties.get(store, "person_secret") or "")

    @lru_cache(maxsize=2_000)  # an account of a page is asked for by several steps, one after the other
    def key(text: str) -> bytes:
        return hmac.digest(secret, text.encode("utf-8", "replace"), hashlib.sha256)[:16]

    return key
