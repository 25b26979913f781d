"""`ccsync why`: everything ccsync knows and decided about one person, and whether they are on the list."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby

import click

from ccsync.cli.command_line import App
from ccsync.cli.terminal import screen, tables
from ccsync.consent.decisions import reason_of
from ccsync.reports.why import Entry, Story, account_id_of, find
from ccsync.state.log.runs import Run
from ccsync.words import counted

SHOWN_FINGERPRINT = 12
ShowTime = Callable[[datetime | None], str]


@click.command()
@click.argument("person", metavar="ADDRESS|ACCOUNT_ID")
@tables.wide
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def why(app: App, person: str, is_wide: bool, as_json: bool) -> None:
    """Explain a decision about a person.

    Shows every decision about the person in time order. Asks neither vendor.

    \b
    Example:  ccsync why pat@example.com
              ccsync why 1012
    """
    if not person.strip():
        raise click.UsageError("give an e-mail address or a Kibo account id.")
    config = app.load(only_reads=True)
    with app.reading(config) as store:
        story = find(store, config, person)
    if as_json:
        screen.print_json(_to_json(story))
    else:
        _show(story, screen.table_time(app.clock.now(), is_wide=is_wide), is_wide=is_wide)


def _show(story: Story, time: ShowTime, *, is_wide: bool) -> None:
    screen.print_line(screen.clean(story.answer.text))
    facts = _facts(story)
    if facts:
        screen.print_line()
        tables.print_facts(facts, is_wide=is_wide)
    if story.entries:
        screen.print_line()
        _show_entries(story, time, is_wide=is_wide)


def _show_entries(story: Story, time: ShowTime, *, is_wide: bool) -> None:
    """The table of what happened. It has a column for the account only if there is more than one."""
    known = {run.id: run for run in story.runs}
    rows = [_cells(story, one, known, time) for one in story.entries]
    headers = ["When", "Run", "Account", "What", "Why"]
    if len({one.account_id for one in story.entries if one.account_id}) < 2:
        headers, rows = [*headers[:2], *headers[3:]], [(*row[:2], *row[3:]) for row in rows]
    # Kibo raises one event per site for the same change.
    counted = [(row, len(list(same))) for row, same in groupby(rows)]
    cells = [(*row[:-2], _times(row[-2], number), row[-1]) for row, number in counted]
    tables.print_table(headers, cells, is_wide=is_wide, spare=("Run",))


def _times(what: str, number: int) -> str:
    return what if number == 1 else f"{what}, {number} times"


def _facts(story: Story) -> dict[str, object]:
    facts: dict[str, object] = {}
    if story.facts.is_known:
        facts["Address"] = story.address or (story.asked.strip() if account_id_of(story.asked) is None else "not kept")
    for one in story.accounts:
        says = "opted in" if one.accepts_marketing else "not opted in"
        moved = "" if one.account_id not in story.facts.moved else ", now with another address"
        facts[f"Account {one.account_id}"] = f"{says}{moved}; seen {screen.local_time(one.seen_at)}"
    if story.facts.contact is not None:
        facts["Contact"] = _of_contact(story)
    for kind, text in _suppressions(story).items():
        facts[f"Suppressed ({kind})"] = text
    for queued in story.facts.queue:
        facts[f"Queue ({queued.account_id})"] = f"{queued.status}, {counted(queued.attempts, 'attempt')}"
    for row in story.write_backs:
        again = f", next try {screen.local_time(row.next_at)}: {row.last_error}" if row.attempts else ""
        facts[f"To Kibo ({row.kind})"] = f"waiting to be written, {counted(row.attempts, 'attempt')}{again}"
    if story.tags:
        facts["Tags"] = ", ".join(_tag(*one) for one in story.tags)
    if story.next_attempt_at is not None:
        facts["Next attempt"] = screen.local_time(story.next_attempt_at)
    for number, former in enumerate(story.former, start=1):
        facts[f"Old address {number}"] = f"{former.address or 'not kept'}: {former.answer.text}"
    return facts


def _tag(name: str, is_wanted: bool, is_set: bool) -> str:
    state = "set" if is_wanted and is_set else "to be set" if is_wanted else "to be removed"
    return f"{name} ({state})"


def _of_contact(story: Story) -> str:
    contact = story.facts.contact
    if contact is None:
        return ""
    if story.facts.contact_of:
        return f"added by ccsync with the address of account {story.facts.contact_of[0]}, and moved here since"
    source = "created or adopted by ccsync" if contact.is_ours else "not known as ccsync's own"
    sent = contact.sent
    if sent is None or sent.fingerprint is None:
        return f"{source}; no record that ccsync added it to the list"
    when = f"{sent.sent_at:%Y-%m-%d}" + (f", removed {sent.removed_at:%Y-%m-%d}" if sent.removed_at else "")
    return f"{source}; last added to the list {when}; fingerprint {_short(sent.fingerprint)}"


def _suppressions(story: Story) -> dict[str, str]:
    seen = {(one.kind, one.list_id): one for one in story.suppressions}
    texts = {}
    for one in story.facts.suppressions:
        where = "" if not one.list_id or one.list_id == story.facts.list_id else ", another list"
        found = seen.get((one.kind, one.list_id))
        last = f"; last seen {screen.local_time(found.seen_at)}" if found else ""
        texts[f"{one.kind}{where}"] = f"{reason_of(one)}{last}"
    return texts


def _cells(story: Story, one: Entry, known: Mapping[int | None, Run], time: ShowTime) -> tuple[str, ...]:
    run = known.get(one.run_id)
    named = f"{one.run_id} {run.job}" if run else str(one.run_id or "")
    whose = {former.person: former.address or "a former address" for former in story.former}
    what = f"{one.kind}: {one.what.removeprefix('customeraccount.')}" if one.what else one.kind
    if one.person in whose:
        what += f" ({whose[one.person]})"
    return (time(one.at), named, str(one.account_id or ""), what, "; ".join(_details(one, time)))


def _details(one: Entry, time: ShowTime) -> list[str]:
    details = [one.why] if one.why else []
    if one.fingerprint is not None:
        details.append(f"sent {', '.join(one.fields) or 'unknown fields'}; fingerprint {_short(one.fingerprint)}")
    if one.seen_at is not None and one.seen_at != one.at:
        details.append(f"seen {time(one.seen_at)}")
    if one.kind == "event":
        details.append(f"processed {time(one.until)}" if one.until else "not processed yet")
    elif one.until is not None:
        details.append(f"last time {time(one.until)}")
    return details


def _short(fingerprint: bytes) -> str:
    return fingerprint.hex()[:SHOWN_FINGERPRINT]


def _to_json(story: Story) -> dict[str, object]:
    facts = story.facts
    return {
        "asked": story.asked,
        "known": facts.is_known,
        "standing": story.answer.standing.value,
        "verdict": story.answer.text,
        "email": story.address,
        "next_attempt_at": screen.utc_time(story.next_attempt_at),
        "accounts": [
            {
                "account_id": one.account_id,
                "accepts_marketing": one.accepts_marketing,
                "seen_at": screen.utc_time(one.seen_at),
                "has_this_address": one.account_id not in facts.moved,
            }
            for one in story.accounts
        ],
        "contact": _contact_to_json(story),
        "suppressions": _suppressions_to_json(story),
        "queue": [
            {
                "account_id": one.account_id,
                "status": one.status,
                "attempts": one.attempts,
                "next_at": screen.utc_time(one.next_at),
                "last_error": one.last_error,
            }
            for one in facts.queue
        ],
        "leaving": facts.leaving,
        "tags": [{"name": name, "is_wanted": wanted, "is_set": is_set} for name, wanted, is_set in story.tags],
        "untold": [
            {
                "kind": one.kind,
                "seen_at": screen.utc_time(one.queued_at),
                "attempts": one.attempts,
                "next_at": screen.utc_time(one.next_at),
                "last_error": one.last_error,
            }
            for one in story.write_backs
        ],
        "former": [
            {"email": one.address, "standing": one.answer.standing.value, "verdict": one.answer.text}
            for one in story.former
        ],
        "steps": [_entry_to_json(story, one) for one in story.entries],
        "runs": [
            {
                "id": run.id,
                "job": run.job,
                "direction": run.direction,
                "status": run.status,
                "started_at": screen.utc_time(run.started_at),
            }
            for run in story.runs
        ],
    }


def _contact_to_json(story: Story) -> dict[str, object] | None:
    contact = story.facts.contact
    if contact is None:
        return None
    return {
        "contact_id": contact.contact_id,
        "is_ours": contact.is_ours,
        "list_id": story.facts.list_id if contact.is_on(story.facts.list_id or "") else None,
        "seen_list_id": contact.member_of,
        "fingerprint": contact.sent.fingerprint.hex() if contact.sent and contact.sent.fingerprint else None,
    }


def _suppressions_to_json(story: Story) -> list[dict[str, object]]:
    seen = {(one.kind, one.list_id): one for one in story.suppressions}
    return [
        {
            "kind": one.kind,
            "list_id": one.list_id or None,
            "since": screen.utc_time(one.since),
            "source": one.source,
            "seen_at": screen.utc_time(seen[one.kind, one.list_id].seen_at),
            "run_id": seen[one.kind, one.list_id].run_id,
        }
        for one in story.facts.suppressions
    ]


def _entry_to_json(story: Story, one: Entry) -> dict[str, object]:
    addresses = {former.person: former.address for former in story.former} | {story.person: story.address}
    return {
        "at": screen.utc_time(one.at),
        "kind": one.kind,
        "what": one.what,
        "why": one.why,
        "run_id": one.run_id,
        "account_id": one.account_id,
        "email": addresses.get(one.person) if one.person else None,
        "seen_at": screen.utc_time(one.seen_at),
        "until": screen.utc_time(one.until),
        "event_id": one.event_id,
        "fields": list(one.fields),
        "fingerprint": one.fingerprint.hex() if one.fingerprint else None,
    }
