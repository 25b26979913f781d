"""Brings the opt-outs at Constant Contact up to date in the state file. Writes nothing at either vendor."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ccsync.jobs.decisions import is_own_return
from ccsync.jobs.work import Work
from ccsync.mapping import person_key_text
from ccsync.models import Contact
from ccsync.state import consent, meta, people
from ccsync.state.consent import ConsentChange
from ccsync.state.people import UNSUBSCRIBED, Suppression

STREAM = "opt-outs"
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
    meta.advance(work.store, STREAM, _read_at(work, started_at))
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
        if people.forgotten_among(work.store, [person]):
            contact = replace(contact, email=None, contact_id="")
        found = Suppression(
            person, UNSUBSCRIBED, "", contact.contact_id or None, contact.opt_out_date, contact.opt_out_source
        )
        if people.suppress(work.store, found, seen_at, work.run_id):
            news.append(_change(contact, person, "unsubscribed", contact.opt_out_date, seen_at))
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
    """Somebody suppressed is not in the full pass: deleted, or back by their own act?"""
    contact = work.constant_contact.get_contact(before.contact_id) if before.contact_id else None
    with work.store.transaction():
        if contact is not None and is_own_return(contact, before.since):
            people.lift(work.store, before.person, UNSUBSCRIBED)
            change = _change(contact, before.person, "resubscribed", contact.opt_in_date, work.now())
            consent.append(work.store, work.run_id, [change])
        else:
            people.suppress(work.store, before, work.now(), work.run_id)


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
        contact_id=contact.contact_id or None,
        evidence=evidence,
    )


def _read_at(work: Work, started_at: datetime) -> datetime:
    """A bookmark by the vendor's clock, from before the first request."""
    elapsed = work.now() - started_at
    return work.constant_contact.transport.server_time(work.now()) - elapsed
