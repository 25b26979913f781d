"""What must hold in a world after each run, and when it has come to rest."""

from collections.abc import Iterator
from typing import Any

from ccsync.consent.drift import DRIFT, Kind
from tests.jobs.reconciling import reconcile
from tests.machine import invariants, store_consent
from tests.machine.facts import Span
from tests.machine.history import History, Settled
from tests.machine.world import FIELDS, OTHER_LIST, World


class Broken(AssertionError):
    """A promise is broken."""


def judge_run(world: World, before: History, span: Span) -> None:
    """What must hold at all times."""
    now, contacts = world.history(), world.contacts()
    found = [
        *invariants.nobody_is_sent_after_a_no(before, now, span),
        *store_consent.no_consent_is_touched(now, world.judged_until, world.seen_until),
        *invariants.nobody_is_subscribed_again(now, _permissions(contacts), world.cc.forbidden_calls),
        *invariants.nobody_unsubscribed_is_member(now, frozenset(world.shop.members()), keeps=world.keeps_lists),
        *world.tags.of_run(before, now, span),
        *_what_else_was_touched(world, now, contacts),
    ]
    world.judged_until = span.end
    raise_any(found)


def judge_rest(world: World) -> None:
    """What must hold when two clean cycles have passed."""
    now, members = world.history(), frozenset(world.shop.members())
    waiting = frozenset(key for key, value in _permissions(world.contacts()).items() if value == "pending_confirmation")
    found = [
        *invariants.who_says_no_is_no_member(now, members),
        *invariants.who_says_yes_is_member(now, members, waiting),
        *store_consent.store_knows(now),
        *world.tags.of_rest(now, members),
    ]
    raise_any(found)
    world.tick()
    report, by_kind, _ = reconcile(world.shop)
    if report.drift:
        kinds = sorted(kind.value for kind in DRIFT if kind.value in by_kind)
        raise_any([f"I5 drift {' '.join(kinds)}", *(f"{kind}: {by_kind[kind]}" for kind in kinds)])
    consents = {one: world.kibo.account(one)["acceptsMarketing"] is True for one in world.accounts()}
    world.settled.append(Settled(len(world.box.acts), members, consents))


def _what_else_was_touched(world: World, now: History, contacts: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Other lists, other sources' data (decision 9), and all of an account but its consent."""
    strangers = {one.lower() for one in world.cc.members(OTHER_LIST)} - world.outsiders
    yield from (f"other lists: {one}" for one in sorted(strangers))
    if not world.shop.config.sync.overwrite_existing:
        for one in contacts.values():
            is_theirs = one["contact_id"] in world.strangers and one.get("deleted_at") is None
            if is_theirs and one["first_name"] != "Their":
                yield f"another source's data were touched: {one['first_name']}"
    for account in now.facts.accounts.values():
        if account.gone_at is None and account.account_id not in world.business:
            shown = world.kibo.account(account.account_id)
            wanted = {**FIELDS, "lastName": world.edits.get(account.account_id, FIELDS["lastName"])}
            if any(shown[key] != value for key, value in wanted.items()):
                yield f"account {account.account_id}: more than its consent was touched"


def raise_any(found: list[str]) -> None:
    """Raise `Broken` when anything was found."""
    if found:
        raise Broken("\n".join(found))


def _permissions(contacts: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {
        str(one["contact_id"]): str(one["email_address"].get("permission_to_send", "")) for one in contacts.values()
    }


def drift(world: World) -> set[tuple[str, str]]:
    """What `reconcile` would repair: kinds and addresses."""
    _, _, findings = reconcile(world.shop)
    return {(one.kind, one.email or "") for one in findings if one.repair and Kind(one.kind) in DRIFT}
