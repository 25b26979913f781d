"""Takes customers in as they are read: sorts out who cannot be sent, and stages the rest in the state file."""

import json
import logging
from collections.abc import Sequence

from ccsync.from_kibo import forgotten
from ccsync.from_kibo.known_rows import KnownRows
from ccsync.from_kibo.observations import Observer
from ccsync.mapping.addresses import Rejection
from ccsync.mapping.contact import MappedContact, fingerprint, to_contact
from ccsync.mapping.tags import tags_of
from ccsync.models import Customer
from ccsync.run.context import Context
from ccsync.state import parked, staging
from ccsync.state.log import runs
from ccsync.state.log.runs import RejectedRecord
from ccsync.state.staging import Staged
from ccsync.state.views import known_rows

log = logging.getLogger(__name__)


class Intake:
    """Takes pages of customers in."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known_rows = KnownRows(context)
        self._encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

    def take(self, customers: Sequence[Customer], *, are_whole: bool, lack_sections: bool = False) -> None:
        """Take one page in, in one transaction. A customer read again replaces what was read before.

        `are_whole`: they were read one by one; see `observations.observe`. `lack_sections`: they are rows of the list
        without all that is mapped, so that an equal row proves nothing.
        """
        store, run_id = self._context.store, self._context.run_id
        may_be_known = not (are_whole or lack_sections)
        same, new = self._known_rows.split(customers) if may_be_known else ([], customers)
        known, hidden = forgotten.set_apart(self._context, new)
        staged, well, rejected = list[Staged](), list[int](), list[RejectedRecord]()
        hashes = list[tuple[int, bytes]]()
        unsent = [(one.account_id, one.updated_at) for one in hidden if one.accepts_marketing is not False]
        for customer in known:
            judged = self._judge(customer)
            at = customer.updated_at or customer.created_at
            if isinstance(judged, Rejection):
                rejected.append(self._record(customer, judged))
                unsent.append((customer.account_id, at))
                continue
            well.append(customer.account_id)
            if judged is not None:
                staged.append(self._staged(customer, judged))
                if may_be_known and not judged.notes:
                    row_hash = self._known_rows.hash_of(customer, staged[-1].person, staged[-1].fingerprint)
                    hashes += [(customer.account_id, row_hash)] if row_hash else []
            elif customer.accepts_marketing:
                unsent.append((customer.account_id, at))
        with store.transaction():
            # First, for an account without a usable address any more is forgotten, and its rejection is news.
            Observer(self._context, are_whole=are_whole).observe(known)
            known_rows.note(store, hashes)
            staging.unstage(store, [one.account_id for one in customers if one.accepts_marketing is False])
            staging.stage_known(store, same)
            staging.stage_read(store, unsent)
            staging.stage(store, staged)
            runs.drop_rejected(store, run_id, well)
            parked.release_checked(store, well)
            runs.add_rejected(store, run_id, rejected)
            for record in rejected:
                parked.put(store, record.account_id or 0, record.code, None, record.at, run_id)
            forgotten.note_noes(self._context, hidden)

    def _judge(self, customer: Customer) -> MappedContact | Rejection | None:
        """What to send of a customer, or why not; `None` for those who are merely passed over."""
        if customer.accepts_marketing is False:
            return None
        if customer.accepts_marketing is None:
            return Rejection("consent-unknown", "acceptsMarketing", "acceptsMarketing is neither true nor false.")
        if customer.is_b2b or customer.email is None:
            return None
        try:
            return to_contact(customer, self._context.config.mapping)
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as error:
            # One bad record must not stop the rest.
            log.exception("account %s could not be mapped", customer.account_id)
            return Rejection("unforeseen", "", f"it could not be mapped ({type(error).__name__}); see the log file.")

    def _staged(self, customer: Customer, mapped: MappedContact) -> Staged:
        if mapped.notes:
            self._context.counts["cut"] += 1
            log.info("account %s: %s", customer.account_id, "; ".join(str(note) for note in mapped.notes))
        tags = tags_of(customer.raw, self._context.config.tags)
        return Staged(
            customer.account_id,
            customer.updated_at or customer.created_at,
            self._context.person_of(mapped.email),
            fingerprint(mapped.row),
            self._encode(dict(mapped.row)),
            customer.is_own_sign_up,
            None if tags is None else self._encode(tags),
        )

    def _record(self, customer: Customer, rejection: Rejection) -> RejectedRecord:
        return RejectedRecord(
            customer.account_id, customer.email, rejection.code, rejection.reason, self._context.now()
        )
