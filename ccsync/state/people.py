"""People: ccsync knows them by `person`, the keyed hash of their address in its comparison form."""

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

from ccsync.mapping.addresses import person_key_text
from ccsync.state import properties
from ccsync.state.database.store import Store


def person_key(store: Store) -> Callable[[str], bytes]:
    """The function from an address to its `person` (16 bytes)."""
    secret = bytes.fromhex(properties.get(store, "person_secret") or "")

    @lru_cache(maxsize=2_000)  # an account of a page is asked for by several steps, one after the other
    def key(address: str) -> bytes:
        return hmac.digest(secret, person_key_text(address).encode(), hashlib.sha256)[:16]

    return key
