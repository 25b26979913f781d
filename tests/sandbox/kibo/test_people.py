"""Accounts that move: an address handed over, a redaction, a business account; and the record of it all."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from tests.doubles import FakeClock
from tests.sandbox.kibo.world import KiboWorld


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> Iterator[KiboWorld]:
    with Sandbox(SandboxSettings(customers=0), clock=clock.now) as box, KiboWorld(box) as made:
        yield made


def account(world: KiboWorld, address: str, **fields: object) -> int:
    return world.box.kibo.add_account(emailAddress=address, **{"acceptsMarketing": True} | fields)


def test_an_address_is_handed_over(world: KiboWorld) -> None:
    """One account moves away and another takes its address: each is found where it is now, both make events."""
    giver, taker = account(world, "home@example.com"), account(world, "work@example.com", acceptsMarketing=False)
    world.box.kibo.events.forget()
    world.box.kibo.hand_over_address(giver, taker, "away@example.com")
    assert world.ids(filter="emailAddress eq home@example.com") == [taker]
    assert world.ids(filter="emailAddress eq away@example.com") == [giver]
    assert {one["entityId"] for one in world.events()} == {str(giver), str(taker)}


@pytest.mark.parametrize("placeholder", ["", "redacted-1001@anonymous.invalid"])
@pytest.mark.parametrize("accepts", [None, False])
def test_a_redacted_account_stays_and_says_nothing_of_the_person(
    world: KiboWorld, placeholder: str, accepts: bool | None
) -> None:
    """Blank or a placeholder, still opted in or not: what the vendor writes is not known, so both are to be had."""
    redacted = account(world, "ann@example.com", firstName="Ann", lastName="Lee", companyOrOrganization="Acme")
    world.box.kibo.redact_account(redacted, placeholder, accepts=accepts)
    shown = world.get(f"/api/commerce/customer/accounts/{redacted}").json()
    assert (shown["emailAddress"], shown["acceptsMarketing"]) == (placeholder, accepts is None)
    assert "Ann" not in str(shown)
    assert "ann@" not in str(shown)
    assert "Acme" not in str(shown)
    assert world.ids(filter="emailAddress eq ann@example.com") == []


@pytest.mark.parametrize("makes_event", [True, False])
def test_whether_an_event_follows_a_redaction_is_not_known(world: KiboWorld, makes_event: bool) -> None:
    """With an event it is an ordinary update of the account."""
    redacted = account(world, "ann@example.com")
    world.box.kibo.events.forget()
    world.box.kibo.redact_account(redacted, makes_event=makes_event)
    assert {one["topic"] for one in world.events()} == ({"customeraccount.updated"} if makes_event else set())


def test_a_business_account_may_have_a_shopper_s_address(world: KiboWorld) -> None:
    """Both are found by the address; the kind tells them apart."""
    shopper = account(world, "ann@example.com")
    business = world.box.kibo.add_b2b_account("ann@example.com", acceptsMarketing=False)
    found = world.accounts(filter="emailAddress eq ann@example.com").json()["items"]
    assert [(one["id"], one["accountType"]) for one in found] == [(shopper, "B2C"), (business, "B2B")]


def test_the_record_tells_what_shoppers_and_staff_did(world: KiboWorld, clock: FakeClock) -> None:
    """Each act has its time, who did it, the account, and the address after it."""
    begun = clock.now()
    ann = account(world, "ann@example.com")
    clock.sleep(60)
    kibo = world.box.kibo
    kibo.opt_out(ann)
    kibo.opt_in(ann, "staff")
    kibo.change_address(ann, "new@example.com")
    kibo.update_account(ann, lastName="Lee")
    kibo.update_account(ann, lastName="Lee")
    kibo.redact_account(ann)
    kibo.delete_account(ann, "staff")
    acts = world.box.acts.about(account_id=ann)
    assert [(one.actor, one.kind, one.says, one.address) for one in acts] == [
        ("person", "sign-up", True, "ann@example.com"),
        ("person", "opt-out", False, "ann@example.com"),
        ("staff", "opt-in", True, "ann@example.com"),
        ("person", "change-address", None, "new@example.com"),
        ("person", "change", None, "new@example.com"),
        ("staff", "redact", None, "new@example.com"),
        ("staff", "delete", None, ""),
    ]
    assert (acts[3].value, acts[4].value) == ("ann@example.com", ("lastName",))
    assert [one.at for one in acts[:2]] == [begun, begun + timedelta(seconds=60)]


def test_the_record_tells_what_a_put_changed(world: KiboWorld) -> None:
    """A PUT that takes a consent back is an act of the application; so is what it changes besides."""
    ann = account(world, "ann@example.com", firstName="Ann")
    whole = world.get(f"/api/commerce/customer/accounts/{ann}").json()
    assert world.put(ann, whole).status_code == 200
    assert world.box.acts.by("app") == []
    assert world.put(ann, whole | {"acceptsMarketing": False, "firstName": "Anna"}).status_code == 200
    acts = world.box.acts.by("app", vendor="kibo")
    assert [(one.kind, one.account_id, one.value) for one in acts] == [
        ("opt-out", ann, None),
        ("change", ann, ("firstName",)),
    ]


def test_a_sign_up_without_consent_is_a_no(world: KiboWorld) -> None:
    """Who never ticked the box has said no from the start."""
    account(world, "ann@example.com", acceptsMarketing=False)
    assert [one.says for one in world.box.acts.about("ANN@example.com")] == [False]
