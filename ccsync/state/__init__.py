"""The state file: everything ccsync remembers, in one SQLite database.

Each module owns a few tables and offers functions on an open `Store`; nothing outside this package knows SQL.
"""

from ccsync.state.database.lock import Lock
from ccsync.state.database.opening import create_store, explained, open_store, scratch_store
from ccsync.state.database.store import Store

__all__ = ["Lock", "Store", "create_store", "explained", "open_store", "scratch_store"]
