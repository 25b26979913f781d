"""Sets tags and takes them off by bulk jobs. It goes last in a run, and never puts anybody on the list.

Doing it twice is harmless, so a job whose answer was lost is simply started again.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from ccsync.consent.retry import next_try
from ccsync.errors import CallFailure, RefusedError, VendorUnreachable
from ccsync.from_constant_contact import members
from ccsync.from_constant_contact.activities import await_activities, look_at
from ccsync.models import Activity
from ccsync.run import control
from ccsync.run.context import Context
from ccsync.state import contacts
from ccsync.state.outbox import tag_tasks, tasks
from ccsync.state.outbox.tag_tasks import ADD, TagJob, TagTask
from ccsync.to_constant_contact.bisection import Bisection, Tried
from ccsync.to_constant_contact.tags import managed
from ccsync.words import counted

log = logging.getLogger(__name__)

MOST_AT_ONCE = 500
MOST_TAGS = 50
"""TagAddRemoveContacts of https://developer.constantcontact.com/api_reference/index.html."""
ROUND = 20_000
"""Tasks in memory at once."""
OVERDUE = timedelta(hours=6)


def carry_out(context: Context) -> None:
    """Look at the jobs of earlier runs, then set and take off whatever is due.

    Raises what `ccsync.errors` lists; what was done is kept, and the next run continues.
    """
    store = context.store
    if not context.config.tags:
        tag_tasks.drop_all(store)
        return
    _look_at_earlier(context)
    tag_tasks.enqueue_back(store, context.list_id, context.now())
    tag_tasks.drop_needless(store, context.list_id)
    if not tag_tasks.count(store):
        return
    ids = managed.ensure(context)
    at = context.now()  # what fails in this run is not tried twice in it
    before = set[int]()
    while (waiting := tag_tasks.due(store, context.list_id, at, ROUND)) and waiting[0].id not in before:
        _tag(context, _with_contacts(context, waiting), ids)
        before = {one.id for one in waiting}
    added, removed = context.counts["tags_added"], context.counts["tags_removed"]
    if added or removed:
        context.remarks.append(f"Tags: {added:,} set, {removed:,} taken off.")


def _look_at_earlier(context: Context) -> None:
    jobs = tag_tasks.under_way(context.store, context.now())
    over = look_at(context, {one.activity_id for one in jobs})
    for job in jobs:
        if job.activity_id in over:
            _end(context, job, over[job.activity_id])
        elif job.is_overdue:
            tag_tasks.release(context.store, job.activity_id, context.now())
            context.remarks.append(
                "A tagging job of Constant Contact has not ended for six hours; it is started again."
            )


def _end(context: Context, job: TagJob, activity: Activity | None) -> bool:
    """Note how a job ended: did it do all its work?"""
    if activity is None or not activity.has_completed or activity.errors:
        tag_tasks.release(context.store, job.activity_id, context.now())
        return False
    number = tag_tasks.complete(context.store, job, context.now()) * len(job.tags)
    context.counts["tags_added" if job.reason == ADD else "tags_removed"] += number
    return True


def _with_contacts(context: Context, waiting: Sequence[TagTask]) -> list[TagTask]:
    """Those whose contact Constant Contact shows; the others are tried again later."""
    unknown = [(one.person, one.email) for one in waiting if one.contact_id is None]
    members.find_contacts(context, [(person, email) for person, email in unknown if email])
    found = list[TagTask]()
    for one in waiting:
        known = contacts.known(context.store, one.person, context.list_id) if one.contact_id is None else None
        contact_id = one.contact_id or (known.contact_id if known else None)
        if contact_id is None:
            why = "Constant Contact shows no contact with this address."
            _fail(context, one, RefusedError("A tag could not be set.", why))
        else:
            found.append(replace(one, contact_id=contact_id))
    return found


def _tag(context: Context, waiting: Sequence[TagTask], ids: dict[int, str]) -> None:
    search = Bisection[TagTask](lambda groups: _start(context, groups, ids), context.run_id)
    search.run(list(_groups(waiting)))
    # The control has worked: who was refused before is refused again. Of several new ones that are all refused alike
    # none is blamed.
    is_vendors = sum(not one.attempts for one in waiting) > 1 and not search.has_passed
    spared = list[CallFailure]()
    for one, error in search.refused:
        if is_vendors and not one.attempts:
            spared.append(error)
        else:
            _fail(context, one, error)
    if spared:
        raise spared[0]


def _groups(waiting: Sequence[TagTask]) -> Iterator[Sequence[TagTask]]:
    """What is alike goes in one job; who failed before goes apart."""
    for _, alike in groupby(waiting, key=lambda one: (one.attempts > 0, one.reason, one.tags)):
        some = list(alike)
        for start in range(0, len(some), MOST_AT_ONCE):
            yield some[start : start + MOST_AT_ONCE]


def _start(context: Context, groups: Sequence[Sequence[TagTask]], ids: dict[int, str]) -> Iterator[Tried[TagTask]]:
    started = dict[str, tuple[TagJob, Sequence[TagTask]]]()
    for count, group in enumerate(groups, start=1):
        reason, tags = group[0].reason, group[0].tags[:MOST_TAGS]
        some = [replace(one, tags=tags) for one in group]
        fresh = tag_tasks.set_out(context.store, some)
        try:
            contact_ids = [one.contact_id or "" for one in group]
            tag_ids = [ids[number] for number in tags]
            activity = context.constant_contact.tag_contacts(contact_ids, tag_ids, is_adding=reason == ADD)
        except (RefusedError, VendorUnreachable) as error:
            if isinstance(error, RefusedError):
                tag_tasks.take_back(context.store, fresh, reason)
            control.blame_record_at_constant_contact(context, error)
            yield Tried(group, error)
        else:
            job = TagJob(activity.activity_id, reason, tags, False)
            tag_tasks.begin(context.store, some, job.activity_id, context.now() + OVERDUE)
            started[job.activity_id] = job, group
        context.show("tags", count, len(groups))
    over = await_activities(context, started)
    for activity_id, (job, group) in started.items():
        if activity_id not in over:
            yield Tried(group, is_open=True)
        elif _end(context, job, over[activity_id]):
            yield Tried(group)
        else:
            yield Tried(group, _job_failed(len(group)))


def _job_failed(number: int) -> RefusedError:
    return RefusedError(
        f"Constant Contact did not set the tags of {counted(number, 'contact')}.",
        "its bulk job failed, was cancelled, or names errors.",
        "Nothing is lost: the next run starts it again. If it persists, look at Activity in Constant Contact.",
    )


def _fail(context: Context, one: TagTask, error: CallFailure) -> None:
    """It could not be done for this one: later runs try again."""
    later = next_try(context.now(), one.attempts + 1, context.config.sync.interval)
    reason = error.sentence
    tasks.note_failure(context.store, one.id, later.attempts, later.at, reason, is_parked=later.is_parked)
    context.counts["failed"] += 1
