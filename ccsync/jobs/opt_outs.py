"""Brings the opt-outs at Constant Contact up to date in the state file. Writes nothing at either vendor."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ccsync.jobs.decisions import SUBSCRIBED, is_own_return
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Contact
from ccsync.state import accounts, consent, erasure, events, history, meta, people, untold
from ccsync.state.consent import ConsentChange
from ccsync.state.history import Step
from ccsync.state.people import UNSUBSCRIBED, Suppression

STREAM = "opt-outs"
FULL_STREAM = "opt-outs-full"
OVERLAP = timedelta(hours=24)
"""How soon an opt-out becomes visible is undocumented, and so is whether `optout_after` is inclusive."""
MOST_SECOND_LOOKS = 50


def pull_all(work: Work) -> None:
    """A full pass over everybody who is unsubscribed; then look again at people it no longer shows.

    `updated_after` would miss most of them: an opt-out does not touch the contact's own `updated_at`.
    """
    started_at = work.now()
    with work.gate.for_opt_outs():
        seen = _pull(work, status="unsubscribed")
        for before in people.not_seen_since(work.store, UNSUBSCRIBED, started_at, MOST_SECOND_LOOKS):
            _look_again(work, before)
    for stream in (STREAM, FULL_STREAM):
        meta.advance(work.store, stream, _read_at(work, started_at))
    work.show("opt-outs", seen, seen)


def pull_recent(work: Work) -> None:
    """The opt-outs since the bookmark, with an overlap; the bookmark moves once all pages were applied."""
    started_at = work.now()
    since = (meta.bookmark(work.store, STREAM) or started_at) - OVERLAP
    with work.gate.for_opt_outs():
        _pull(work, status="all", optout_after=f"{since:%Y-%m-%dT%H:%M:%SZ}")
    meta.advance(work.store, STREAM, _read_at(work, started_at))


def record(work: Work, contacts: Iterable[Contact]) -> int:
    """Remember the unsubscribed among `contacts`, each change once in the consent ledger. In a transaction."""
    person_of = work.person_of()
    seen_at = work.now()
    news = []
    known = 0
    for contact in contacts:
        if contact.email is None or not contact.has_unsubscribed:
            continue
        known += 1
        person = person_of(person_key_text(contact.email))
        found = Suppression(person, UNSUBSCRIBED, "", contact.contact_id, contact.opt_out_date, contact.opt_out_source)
        if people.suppress(work.store, found, seen_at, work.run_id):
            untold.queue(work.store, person, UNSUBSCRIBED, seen_at)
            people.note_off_list(work.store, person)
            news.append(_change(contact, person, "unsubscribed", contact.opt_out_date, seen_at))
        else:
            erasure.keep_forgotten(work.store, person)
    consent.append(work.store, work.run_id, news)
    return known


def _pull(work: Work, **filters: str) -> int:
    seen = 0
    for page in work.constant_contact.iter_contact_pages(**filters):
        with work.store.transaction():
            seen += record(work, page)
        work.show("opt-outs", seen)
    return seen


def _look_again(work: Work, before: Suppression) -> None:
    """Somebody suppressed is not in the full pass: deleted, or back, by their own act or somebody else's?"""
    contact = work.constant_contact.get_contact(before.contact_id) if before.contact_id else None
    with work.store.transaction():
        if contact is not None and is_own_return(contact, before.since):
            _record_return(work, contact, before.person)
            return
        people.suppress(work.store, before, work.now(), work.run_id)
        if contact is not None and contact.deleted_at is None and contact.permission_to_send in SUBSCRIBED:
            work.counts["resubscribed_by_others"] += 1
            reason = "subscribed again, and not by the person as far as Constant Contact shows; stays opted out"
            history.append(work.store, work.run_id, work.now(), [Step(before.person, None, "left alone", reason)])


def _record_return(work: Work, contact: Contact, person: bytes) -> None:
    """The person came back: their opt-out no longer holds, and Kibo is told, if Kibo was told of the opt-out."""
    at = work.now()
    people.lift(work.store, person, UNSUBSCRIBED)
    people.note_off_list(work.store, person)  # coming back gives no list back
    # Who opted in again in the store meanwhile was kept out until now: the next flush decides anew.
    events.enqueue(work.store, accounts.of_person(work.store, person), at)
    if work.config.sync.resubscribes:
        untold.queue_return(work.store, person, contact.contact_id, contact.opt_in_date, at)
    else:
        work.counts["resubscribed_not_told"] += 1
    consent.append(work.store, work.run_id, [_change(contact, person, "resubscribed", contact.opt_in_date, at)])


def _change(contact: Contact, person: bytes, change: str, at: datetime | None, seen_at: datetime) -> ConsentChange:
    evidence = {
        "permission_to_send": contact.permission_to_send,
        "opt_in_source": contact.opt_in_source,
        "opt_out_source": contact.opt_out_source,
        "update_source": contact.update_source,
    }
    return ConsentChange(
        person,
        contact.email,
        change,
        "constant_contact",
        at,
        seen_at,
        contact_id=contact.contact_id,
        evidence=evidence,
    )


def _read_at(work: Work, started_at: datetime) -> datetime:
    """A bookmark by the vendor's clock, from before the first request."""
    elapsed = work.now() - started_at
    return work.constant_contact.transport.server_time(work.now()) - elapsed
