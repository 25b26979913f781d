"""Rows of Kibo's list that are known again, and whose people stand as they did: there is nothing to send of them."""

from collections.abc import Iterable, Sequence

from ccsync.state.database.rows import Row, marks
from ccsync.state.database.store import Store

_STANDS = (
    "is_ours AND moved_to IS NULL AND permission IS NOT 'pending_confirmation' AND removed_at IS NULL"
    " AND member_of = sent.list_id AND NOT EXISTS (SELECT 1 FROM suppressions WHERE suppressions.person = sent.person)"
    " AND NOT EXISTS (SELECT 1 FROM batch_rows WHERE batch_rows.person = sent.person)"
)
"""Of a row of `contacts JOIN sent`: `decisions.decide` says "unchanged" of these, if what was sent is what is due.

It says so of others as well; in doubt a row is gone through one by one. A test holds the two together.
"""

HAS_ROW = "EXISTS (SELECT 1 FROM temp.staged AS own WHERE own.person = staged.person AND own.row NOT NULL)"
"""Of a row of `staged`: is anything to be sent at hand of the person? Then all that is staged of them counts."""
UNDECIDED = (
    f"({HAS_ROW} OR parked.account_id NOT NULL OR (sent.fingerprint = staged.fingerprint AND {_STANDS}) IS NOT TRUE)"
)
"""Of a row of `staged LEFT JOIN contacts LEFT JOIN sent LEFT JOIN parked`: does it have to be decided on?"""


def candidates(store: Store, list_id: str, account_ids: Sequence[int]) -> list[Row]:
    """What these accounts sent last, where nothing known of them speaks against its being due still.

    Rows of account id, person, fingerprint, and the hash that `note` has kept.
    """
    return store.rows(
        "SELECT accounts.account_id, accounts.person, sent.fingerprint, row_hash FROM accounts"
        " JOIN contacts USING (person) JOIN sent ON sent.person = accounts.person AND sent.list_id = ?"
        f" WHERE accounts.account_id IN ({marks(account_ids)}) AND accepts_marketing AND kind = ''"
        f" AND row_hash NOT NULL AND sent.fingerprint NOT NULL AND {_STANDS}"
        " AND NOT EXISTS (SELECT 1 FROM parked WHERE parked.account_id = accounts.account_id)"
        " AND NOT EXISTS (SELECT 1 FROM kibo_writes WHERE kibo_writes.account_id = accounts.account_id)",
        list_id,
        *account_ids,
    )


def note(store: Store, hashes: Iterable[tuple[int, bytes]]) -> None:
    """Keep the hash of these accounts' rows (account id, hash), inside the caller's transaction."""
    store.run_many("UPDATE accounts SET row_hash = ?2 WHERE account_id = ?1 AND row_hash IS NOT ?2", hashes)
