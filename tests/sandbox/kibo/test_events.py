"""The simulated event pull: what makes events, how they are asked for, and what may be odd about them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import CUSTOMER_TOPICS, SandboxSettings
from tests.sandbox.kibo.world import EVENTS, KiboWorld

CREATED, DELETED, UPDATED = sorted(CUSTOMER_TOPICS)
SHAPE = {"id", "tenantId", "masterCatalogId", "catalogId", "siteId", "topic", "entityId", "isTest", "correlationId",
         "extendedProperties", "auditInfo"}  # fmt: skip


@contextmanager
def store(**settings: Any) -> Iterator[KiboWorld]:
    """A client of a small store that is set so."""
    with Sandbox(SandboxSettings(**({"customers": 5} | settings))) as box, KiboWorld(box) as world:
        yield world


def topics(world: KiboWorld, **params: object) -> list[str]:
    return [one["topic"] for one in world.events(**params)]


def dates(world: KiboWorld, **params: object) -> list[str]:
    return [one["auditInfo"]["createDate"] for one in world.events(**params)]


def three_minutes(world: KiboWorld) -> list[int]:
    """Three accounts, each made a minute after the one before."""
    made = []
    for _ in range(3):
        made.append(world.box.kibo.add_account(emailAddress="new@example.com"))
        world.box.advance(60)
    return made


def test_changes_make_one_event_for_each_site() -> None:
    """A new, changed or deleted account gives two events, of both sites, with ids of their own; the population none."""
    with store() as world:
        kibo = world.box.kibo
        assert world.events() == []
        account_id = kibo.add_account(emailAddress="ann@example.com")
        kibo.update_account(account_id, acceptsMarketing=True)
        kibo.delete_account(account_id)
        found = world.events()
        assert [one["topic"] for one in found] == [CREATED, CREATED, UPDATED, UPDATED, DELETED, DELETED]
        assert {one["entityId"] for one in found} == {str(account_id)}
        assert [one["siteId"] for one in found] == [20_001, 20_002] * 3
        assert len({one["id"] for one in found}) == 6
        assert set(Counter(one["correlationId"] for one in found).values()) == {2}


def test_event_has_the_declared_shape() -> None:
    """An event is as `EventEvent` has it: no data, the entity as text, the time in auditInfo alone."""
    with store() as world:
        world.box.kibo.update_account(1_001, firstName="Ann")
        page = world.pull(pageSize=1).json()
        assert {name: page[name] for name in page if name != "items"} == {
            "startIndex": 0,
            "pageSize": 1,
            "pageCount": 2,
            "totalCount": 2,
        }
        event = page["items"][0]
        assert set(event) == SHAPE
        assert (event["entityId"], event["isTest"], event["tenantId"]) == ("1001", False, 12345)
        assert set(event["auditInfo"]) == {"createDate", "createBy", "updateDate", "updateBy"}
        assert event["auditInfo"]["createDate"].endswith("Z")


def test_put_comes_back_as_an_event_or_not() -> None:
    """Whether our own write is among the events is a setting."""
    for is_echoed in (True, False):
        with store(put_makes_events=is_echoed) as world:
            account = world.get("/api/commerce/customer/accounts/1001").json()
            assert world.put(1_001, account | {"acceptsMarketing": False}).status_code == 200
            assert topics(world) == [UPDATED] * (2 * is_echoed)


def test_refused_put_makes_no_event() -> None:
    """What changed nothing is no event."""
    with store() as world:
        assert world.put(1_001, {"taxId": 1}).status_code == 400
        with pytest.raises(KeyError):
            world.box.kibo.delete_account(99)
        assert world.events() == []


def test_only_subscribed_topics_make_events() -> None:
    """An application that subscribes to nothing sees nothing, and gets no error."""
    with store(event_topics=frozenset({DELETED})) as world:
        world.box.kibo.delete_account(world.box.kibo.add_account())
        assert topics(world) == [DELETED, DELETED]
    with store(event_topics=frozenset()) as world:
        world.box.kibo.add_account()
        assert world.pull().json()["totalCount"] == 0
    with pytest.raises(ValueError, match="event_topics"):
        SandboxSettings(event_topics=frozenset({"customer.account.created"}))


def test_pages_are_counted_in_records() -> None:
    """`startIndex` is a record's number; pages are as large as asked, 20 by default, 200 at most."""
    with store() as world:
        for _ in range(15):
            world.box.kibo.add_account()
        everything = [one["id"] for one in world.events(pageSize=200)]
        assert len(everything) == 30
        assert len(world.events()) == 20
        assert [one["id"] for one in world.events(startIndex=25, pageSize=10)] == everything[25:]
        assert world.pull(pageSize=201).status_code == 400
    with store(page_over_200="cap") as world:
        assert world.pull(pageSize=201).json()["pageSize"] == 200


def test_filter_by_topic_and_date() -> None:
    """Topic and createDate can be filtered; dates may end in a small z."""
    with store() as world:
        first, *_ = three_minutes(world)
        world.box.kibo.delete_account(first)
        assert topics(world, filter="topic eq customeraccount.deleted") == [DELETED, DELETED]
        assert len(topics(world, filter="topic sw customeraccount")) == 8
        last = dates(world, sortBy="createDate asc", pageSize=200)[-4]
        since = f"topic sw customeraccount and createDate ge {last.lower()}"
        assert len(topics(world, filter=since)) == 4


@pytest.mark.parametrize("word", ["filter", "sortBy"])
def test_filter_and_sort_may_be_refused_or_ignored(word: str) -> None:
    """What a pull can be filtered and sorted by is undocumented: a setting has it work, answer 400, or do nothing."""
    setting, asked = {
        "filter": ("event_filter", "topic eq customeraccount.deleted"),
        "sortBy": ("event_sort", "createDate desc"),
    }[word]
    with store(**{setting: "refuse"}) as world:
        world.box.kibo.add_account()
        assert world.pull(**{word: asked}).status_code == 400  # type: ignore[arg-type]
        assert len(world.events()) == 2
    with store(**{setting: "ignore"}) as world:
        three_minutes(world)
        assert world.events(**{word: asked}) == world.events()
        assert len(world.events()) == 6


def test_order_is_as_asked_or_as_set() -> None:
    """Sorted by createDate either way; without a sort oldest first, newest first, or as they became visible."""
    late = {"auditInfo": {"createDate": "2020-01-01T00:00:00.000Z"}}
    for order, place in (("oldest", 0), ("newest", -1), ("stored", 2)):
        with store(event_default_order=order) as world:
            world.box.kibo.add_account()
            world.box.advance(60)
            odd = world.box.kibo.add_event(UPDATED, 1_001, **late)
            world.box.advance(60)
            world.box.kibo.add_account()
            assert [one["id"] for one in world.events()][place] == odd
            ordered = dates(world, sortBy="createDate asc")
            assert ordered == sorted(ordered)
            assert dates(world, sortBy="createDate desc") == ordered[::-1]


@pytest.mark.parametrize(
    "query",
    ["hat=1", "startIndex=-1", "startIndex=x", "pageSize=1&pageSize=2", "filter=entityHat eq 1", "sortBy=topic",
     "filter=topic eq", "filter=createDate ge yesterday", "filter=auditInfo.createDate ge 2026-01-01",
     "responseFields=items(hat)", "q=ann"],
)  # fmt: skip
def test_parameters_are_strict(query: str) -> None:
    """An undeclared, repeated or malformed parameter, an unknown field, is a 400."""
    with store() as world:
        answer = world.session.get(f"{world.box.urls.kibo_home}{EVENTS}?{query}", headers=world.headers, timeout=5)
        assert answer.status_code == 400, answer.text


def test_response_fields_select() -> None:
    """`responseFields` trims the page and its events."""
    with store() as world:
        world.box.kibo.update_account(1_001)
        page = world.pull(responseFields="items(id,topic),totalCount").json()
        assert set(page) == {"items", "totalCount"}
        assert set(page["items"][0]) == {"id", "topic"}


def test_one_event_by_its_id() -> None:
    """An event can be read alone, with dashes in its id or without; a nonsense id is 400, an unknown one 404."""
    for is_dashed in (True, False):
        with store(event_ids_dashed=is_dashed) as world:
            world.box.kibo.update_account(1_001)
            event = world.events()[0]
            assert ("-" in event["id"]) is is_dashed
            assert world.pull(event["id"]).json() == event
            assert world.pull(event["id"].replace("-", "").upper()).json() == event
            assert set(world.pull(event["id"], responseFields="id").json()) == {"id"}
            assert world.pull("nonsense").status_code == 400
            assert world.pull("0" * 32).status_code == 404


def test_events_are_at_the_host_of_the_setting() -> None:
    """The pull is at the home host, at the tenant's, or at both."""
    for host, home, tenant in (("home", 200, 404), ("tenant", 404, 200), ("both", 200, 200)):
        with store(event_host=host) as world:
            assert world.pull().status_code == home
            assert world.pull(host="kibo_tenant").status_code == tenant


def test_pull_wants_a_token_and_the_tenant() -> None:
    """Without a token 401, without the tenant's header 403, by POST 405; a slash before the query does no harm."""
    with store() as world:
        url = world.box.urls.kibo_home + EVENTS
        bearer = {"Authorization": world.headers["Authorization"]}
        assert world.session.get(url, headers={"x-vol-tenant": "12345"}, timeout=5).status_code == 401
        assert world.session.get(url, headers=bearer, timeout=5).status_code == 403
        assert world.session.post(url, headers=world.headers, timeout=5).status_code == 405
        assert world.session.get(f"{url}/?pageSize=5", headers=world.headers, timeout=5).json()["pageSize"] == 5


def test_event_may_lag_behind_its_account() -> None:
    """With a lag the account shows the change at once, the pull only later, with the date of the change."""
    with store(event_lag_seconds=90.0) as world:
        account_id = world.box.kibo.add_account()
        assert world.get(f"/api/commerce/customer/accounts/{account_id}").status_code == 200
        world.box.advance(60)
        assert world.events() == []
        world.box.kibo.events.lag_seconds = 0.0
        world.box.kibo.update_account(1_001)
        assert topics(world) == [UPDATED, UPDATED]
        world.box.advance(60)
        assert topics(world, sortBy="createDate asc") == [CREATED, CREATED, UPDATED, UPDATED]


def test_odd_events_can_be_scripted() -> None:
    """Test events, unknown topics, null fields: whatever the schema allows."""
    with store() as world:
        kibo = world.box.kibo
        kibo.add_event(UPDATED, 1_001, isTest=True)
        kibo.add_event("order.opened", 7)
        kibo.add_event(None, None, auditInfo=None, correlationId=None, siteId=None, tenantId=None)
        found = world.events(sortBy="createDate asc")
        assert [one["topic"] for one in found] == [None, UPDATED, "order.opened"]
        assert found[0]["entityId"] is found[0]["auditInfo"] is None
        assert found[1]["isTest"] is True
        assert world.events(filter="topic sw customeraccount and createDate ge 2020-01-01") == [found[1]]
        with pytest.raises(ValueError, match="hat"):
            kibo.add_event(UPDATED, 1_001, hat=1)


def test_event_can_come_twice() -> None:
    """A repeated event has the same id, and stands behind those that came meanwhile."""
    with store(event_default_order="stored") as world:
        event_id = world.box.kibo.add_event(UPDATED, 1_001)
        other = world.box.kibo.add_event(UPDATED, 1_002)
        world.box.kibo.repeat_event(event_id)
        assert [one["id"] for one in world.events()] == [event_id, other, event_id]
        with pytest.raises(LookupError):
            world.box.kibo.repeat_event("0" * 32)


def test_store_may_repeat_a_page_for_ever() -> None:
    """A broken store answers every page with the first one, and always promises another."""
    with store(event_pages_repeat=True) as world:
        world.box.kibo.add_account()
        first = world.events(pageSize=1)
        for start in (1, 2, 1_000):
            page = world.pull(startIndex=start, pageSize=1).json()
            assert page["items"] == first
            assert page["totalCount"] > start + 1


def test_events_are_kept_for_some_days() -> None:
    """After the days of the setting a pull shows an event no longer."""
    with store(event_kept_days=2) as world:
        world.box.kibo.add_account()
        world.box.advance(86_400)
        world.renew()
        world.box.kibo.add_account()
        assert len(world.events()) == 4
        world.box.advance(86_400 + 60)
        world.renew()
        assert len(world.events()) == 2
        world.box.kibo.events.forget()
        assert world.events() == []


def test_limit_of_the_tenant_counts_pulls() -> None:
    """Pulls at the home host count against the tenant's limit like other calls."""
    with store(kibo_requests_per_minute=1) as world:
        assert world.pull().status_code == 200
        answer = world.pull()
        assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (429, "60", b"")
