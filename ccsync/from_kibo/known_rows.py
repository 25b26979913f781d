"""Knows a row of Kibo's list again that is, byte for byte, what it was when it was mapped: it needs no second time.

A keyed hash of eight bytes vouches that this very row has this person's address, says yes, passes the checks and maps
to this fingerprint. It says nothing of consent at Constant Contact, or of what was sent: that is asked each time.
Where the row came decoded, its values are hashed. Should one have its bytes hashed in the next run, it is mapped again.
"""

import hashlib
import json
import marshal
from collections.abc import Sequence

from ccsync import __version__
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import properties
from ccsync.state.staging import KnownRow
from ccsync.state.views import known_rows

_UNKNOWN = (b"", b"", b"")
_MARSHAL = 2
"""The last version of `marshal` whose bytes depend on nothing but the values."""


class KnownRows:
    """The rows that a run may know again: those of one mapping, and of one version of ccsync that maps."""

    def __init__(self, context: Context) -> None:
        secret = bytes.fromhex(properties.get(context.store, "person_secret") or "")
        mapping = json.dumps([__version__, *context.config.mapping.items()])
        self._context = context
        self._key = hashlib.blake2b(mapping.encode(), key=secret, digest_size=32).digest()
        # Tags are read from the row itself, and a row that is known again is not looked into.
        self._is_off = bool(context.config.tags)

    def hash_of(self, customer: Customer, person: bytes, fingerprint: bytes) -> bytes | None:
        """The hash of a row that maps to this fingerprint; `None` where rows are not to be known again."""
        if self._is_off:
            return None
        content = customer.record
        if not isinstance(content, bytes):
            try:
                content = marshal.dumps(dict(content), _MARSHAL)
            except ValueError:  # nested too deeply
                return None
        return hashlib.blake2b(content + person + fingerprint, key=self._key, digest_size=8).digest()

    def split(self, customers: Sequence[Customer]) -> tuple[list[KnownRow], list[Customer]]:
        """The customers that are known again and whose contacts stand as they did, and all others."""
        ids = [one.account_id for one in customers if one.accepts_marketing]
        found = [] if self._is_off else known_rows.candidates(self._context.store, self._context.list_id, ids)
        candidates = {account_id: more for account_id, *more in found}
        known, rest = list[KnownRow](), list[Customer]()
        for one in customers:
            person, fingerprint, row_hash = candidates.get(one.account_id, _UNKNOWN)
            if row_hash and row_hash == self.hash_of(one, person, fingerprint):
                known.append((one.account_id, one.updated_at or one.created_at, person, fingerprint))
            else:
                rest.append(one)
        return known, rest
