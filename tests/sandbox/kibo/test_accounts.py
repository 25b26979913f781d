"""The sandbox's Kibo against the vendor's description: tokens, lists, filters, and the traps of PUT."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from tests.doubles import FakeClock
from tests.sandbox.kibo.world import ACCOUNTS, KiboWorld

SETTINGS = SandboxSettings(customers=250, seed=3)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> Iterator[KiboWorld]:
    with Sandbox(SETTINGS, clock=clock.now) as box, KiboWorld(box) as made:
        yield made


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_secret": "wrong"}, 401),
        ({"client_id": "nobody"}, 401),
        ({"grant_type": "password"}, 400),
        ({"scope": "all"}, 400),
        ({"refresh_token": "made-up"}, 401),
    ],
)
def test_a_token_wants_exactly_what_is_described(world: KiboWorld, changes: dict[str, str], status: int) -> None:
    """Wrong credentials are 401, a wrong or undeclared property 400."""
    assert world.sign_in(**changes).status_code == status


def test_a_token_lasts_one_hour(world: KiboWorld, clock: FakeClock) -> None:
    """The answer says 3,600 seconds, and after them the token is refused with 401."""
    assert world.sign_in().json()["expires_in"] == 3_600
    clock.advance(3_599)
    assert world.get(ACCOUNTS).status_code == 200
    clock.advance(2)
    assert world.get(ACCOUNTS).status_code == 401


def test_the_tenant_s_header_is_wanted(world: KiboWorld) -> None:
    """Without x-vol-tenant, or with another tenant's, there is no access."""
    del world.headers["x-vol-tenant"]
    assert world.get(ACCOUNTS).status_code == 403


def test_the_tenant_names_its_host(world: KiboWorld) -> None:
    """The look-up answers with id, name and domain; another tenant is not found."""
    base = world.box.urls.kibo_home + "/api/platform/tenants/"
    known = world.session.get(base + str(SETTINGS.tenant_id), headers=world.headers, timeout=5).json()
    assert known["id"] == SETTINGS.tenant_id
    assert known["domain"]
    assert world.session.get(base + "999", headers=world.headers, timeout=5).status_code == 404


def test_paging_is_by_record_offset(world: KiboWorld) -> None:
    """`startIndex` counts records: pages of 100 from 0, 100 and 200 hold everybody once."""
    everybody = [one for start in (0, 100, 200) for one in world.ids(startIndex=start, pageSize=100)]
    assert everybody == sorted(world.box.kibo.account_ids())
    page = world.accounts(startIndex=200, pageSize=100).json()
    assert (page["startIndex"], page["pageSize"], page["pageCount"], page["totalCount"]) == (200, 100, 3, 250)
    assert len(page["items"]) == 50


def test_pages_hold_twenty_unless_asked_and_200_at_most(world: KiboWorld) -> None:
    """The default is 20; more than 200 is refused."""
    assert len(world.ids()) == 20
    assert len(world.ids(pageSize=200)) == 200
    assert world.accounts(pageSize=201).status_code == 400


def test_a_page_over_200_can_be_cut() -> None:
    """The other belief about the vendor: the page is quietly smaller, and says so."""
    with Sandbox(SandboxSettings(customers=250, page_over_200="cap")) as box, KiboWorld(box) as world:
        page = world.accounts(pageSize=1_000).json()
        assert (page["pageSize"], len(page["items"])) == (200, 200)


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "acceptsMarketing eq 'true'"},
        {"filter": "acceptsMarketing is true"},
        {"filter": "shoeSize eq 44"},
        {"filter": "acceptsMarketing gt true"},
        {"filter": "id eq many"},
        {"filter": 'firstName eq "Ada'},
        {"filter": "updateDate ge yesterday"},
        {"sortBy": "lastName asc"},
        {"sortBy": "createDate sideways"},
        {"pageSize": "-1"},
        {"startIndex": "ten"},
        {"isAnonymous": "perhaps"},
        {"limit": 10},
        {"responseGroups": "everything"},
        {"responseFields": "items(id"},
        {"responseFields": "items(shoeSize)"},
    ],
)
def test_what_is_not_described_is_refused(world: KiboWorld, query: dict[str, object]) -> None:
    """A wrong filter, sort, number or parameter is a 400 with the vendor's body."""
    answer = world.accounts(**query)
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "VALIDATION_ERROR"


def test_filters(world: KiboWorld, clock: FakeClock) -> None:
    """Clauses are joined by `and`; addresses compare in any case; dates with `ge`."""
    kibo = world.box.kibo
    opted_in = [one for one in kibo.account_ids() if kibo.account(one)["acceptsMarketing"]]
    assert world.ids(filter="acceptsMarketing eq true", pageSize=200) == opted_in[:200]
    mine = kibo.add_account(emailAddress="Mixed.Case@example.com", acceptsMarketing=False)
    assert world.ids(filter='emailAddress eq "mixed.case@EXAMPLE.com"') == [mine]
    since = (clock.now() - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert world.ids(filter=f"updateDate ge {since}") == [mine]
    assert world.ids(filter=f"updateDate ge {since} and acceptsMarketing eq true") == []
    assert world.ids(filter=f"id gt {mine - 1}") == [mine]


def test_newest_first(world: KiboWorld) -> None:
    """`createDate desc` turns the order around."""
    assert world.ids(sortBy="createDate desc", pageSize=5) == sorted(world.box.kibo.account_ids())[:-6:-1]


def test_guests_may_be_hidden() -> None:
    """Where anonymous accounts are left out by default, isAnonymous=true brings them."""
    with Sandbox(SandboxSettings(customers=60, guests_by_default=False)) as box, KiboWorld(box) as world:
        shown, guests = world.ids(pageSize=200), world.ids(pageSize=200, isAnonymous="true")
        assert guests
        assert not set(shown) & set(guests)
        assert sorted(shown + guests) == sorted(box.kibo.account_ids())


@pytest.mark.parametrize(("way", "status"), [("refuse", 400), ("ignore", 200)])
def test_a_store_without_update_date_filter(way: str, status: int) -> None:
    """A filter by updateDate may be refused, or change nothing."""
    with Sandbox(SandboxSettings(customers=30, update_date_filter=way)) as box, KiboWorld(box) as world:
        answer = world.accounts(filter="updateDate ge 2030-01-01T00:00:00Z")
        assert answer.status_code == status
        assert status == 400 or answer.json()["totalCount"] == 30


def test_a_list_may_carry_less_than_an_account() -> None:
    """Rows without contacts and attributes: the single account has them."""
    with Sandbox(SandboxSettings(customers=3, rows_carry=frozenset())) as box, KiboWorld(box) as world:
        assert "contacts" not in world.accounts().json()["items"][0]
        assert "contacts" in world.get(f"{ACCOUNTS}/1001").json()


def test_what_put_leaves_out_is_lost(world: KiboWorld) -> None:
    """Omitted names and address become null, omitted booleans false; contacts and attributes stay."""
    before = world.box.kibo.account(1001)
    assert world.put(1001, {"acceptsMarketing": True}).status_code == 200
    after = world.box.kibo.account(1001)
    assert (after["emailAddress"], after["firstName"], after["lastName"]) == (None, None, None)
    assert after["contacts"] == before["contacts"]
    world.put(1002, {key: world.box.kibo.account(1002)[key] for key in ("emailAddress", "firstName", "lastName")})
    assert world.box.kibo.account(1002)["acceptsMarketing"] is False


def test_a_whole_put_changes_only_what_it_says(world: KiboWorld, clock: FakeClock) -> None:
    """The account as read, with one thing changed, comes back the same but for that and its updateDate."""
    clock.advance(60)
    before = world.get(f"{ACCOUNTS}/1001").json()
    after = world.put(1001, {**before, "acceptsMarketing": not before["acceptsMarketing"]}).json()
    assert after["auditInfo"]["updateDate"] > before["auditInfo"]["updateDate"]
    same = before.keys() - {"acceptsMarketing", "auditInfo"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}


@pytest.mark.parametrize(
    "body", [{"acceptsMarketing": "yes"}, {"contacts": [{"id": "one"}]}, {"id": 9}, [], {"taxId": 5}]
)
def test_put_is_typed(world: KiboWorld, body: object) -> None:
    """Wrongly typed properties are a 400 and change nothing."""
    before = world.box.kibo.account(1001)
    assert world.put(1001, body).status_code == 400
    assert world.box.kibo.account(1001) == before


def test_a_put_may_lose_a_field() -> None:
    """By a setting a PUT blanks fields, whatever it says of them; only some can be lost."""
    with Sandbox(SandboxSettings(customers=3, put_loses=frozenset({"taxId"}))) as box, KiboWorld(box) as world:
        account_id = box.kibo.add_account(emailAddress="pat@example.com", taxId="T-1", externalId="X")
        before = world.get(f"{ACCOUNTS}/{account_id}").json()
        after = world.put(account_id, {**before, "acceptsMarketing": True}).json()
        assert (after["taxId"], after["externalId"], after["acceptsMarketing"]) == (None, "X", True)
    with pytest.raises(ValueError, match="put_loses"):
        SandboxSettings(put_loses=frozenset({"emailAddress"}))


@pytest.mark.parametrize(("minds", "found"), [(False, 2), (True, 1)])
def test_the_filter_by_address_may_mind_case(minds: bool, found: int) -> None:
    """Whether it does is not documented: by a setting it finds an address only in its own case of letters."""
    with Sandbox(SandboxSettings(customers=3, address_filter_minds_case=minds)) as box, KiboWorld(box) as world:
        for address in ("Pat@example.com", "pat@example.com"):
            box.kibo.add_account(emailAddress=address)
        assert world.accounts(filter="emailAddress eq pat@example.com").json()["totalCount"] == found


def test_no_such_account(world: KiboWorld) -> None:
    """An unknown or malformed id is a 404 with the vendor's body."""
    for one in ("99", "abc"):
        answer = world.get(f"{ACCOUNTS}/{one}")
        assert (answer.status_code, answer.json()["errorCode"]) == (404, "ITEM_NOT_FOUND")


def test_throttling_is_an_empty_429() -> None:
    """Too many calls a minute: an empty 429 with Retry-After."""
    settings = SandboxSettings(customers=3, kibo_requests_per_minute=2, kibo_retry_after_seconds=7)
    with Sandbox(settings) as box, KiboWorld(box) as world:
        answers = [world.get(ACCOUNTS) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert (answers[2].content, answers[2].headers["Retry-After"]) == (b"", "7")
