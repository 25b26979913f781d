"""What the vendor's own programs send and rely on: the sandbox takes it as the service does."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from tests.doubles import FakeClock
from tests.sandbox.kibo.world import ACCOUNTS, SIGN_IN, KiboWorld


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> Iterator[KiboWorld]:
    with Sandbox(SandboxSettings(customers=30), clock=clock.now) as box, KiboWorld(box) as made:
        yield made


def without_tenant(world: KiboWorld) -> dict[str, str]:
    return {"Authorization": world.headers["Authorization"]}


def test_a_tenant_is_looked_up_without_naming_it_in_a_header(world: KiboWorld) -> None:
    """The SDKs send no x-vol-tenant there; a token they must have, and elsewhere the header."""
    tenant = f"{world.box.urls.kibo_home}/api/platform/tenants/{world.box.settings.tenant_id}"
    assert requests.get(tenant, headers=without_tenant(world), timeout=5).json()["name"] == "Sandbox Shop"
    assert requests.get(tenant, timeout=5).status_code == 401
    assert requests.get(world.url(ACCOUNTS), headers=without_tenant(world), timeout=5).status_code == 403


def test_a_token_without_a_grant_and_from_the_tenant_s_host(world: KiboWorld) -> None:
    """Published programs leave grant_type out, or ask the tenant's host: the token is as good."""
    body = {key: value for key, value in world.credentials.items() if key != "grant_type"}
    for host in (world.box.urls.kibo_home, world.box.urls.kibo_tenant):
        answer = requests.post(host + SIGN_IN, json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        world.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        assert world.accounts().status_code == 200


def test_empty_parameters_are_absent(world: KiboWorld) -> None:
    """The Node SDK sends every parameter of the operation, those without a value empty."""
    empty = dict.fromkeys(
        (
            "startIndex",
            "pageSize",
            "sortBy",
            "filter",
            "fields",
            "isAnonymous",
            "responseGroups",
            "responseFields",
            "q",
        ),
        "",
    )
    answer = world.accounts(**empty)
    assert answer.status_code == 200, answer.text
    assert answer.json() == world.accounts().json()
    assert world.pull(startIndex="", filter="", sortBy="").status_code == 200


@pytest.mark.parametrize(
    ("field", "name"), [("commercesummary.totalorderamount", "totalOrderAmount"), ("commercesummary.wishlistcount", "")]
)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_accounts_are_sorted_by_what_the_vendor_s_tests_sort_by(
    world: KiboWorld, field: str, name: str, order: str
) -> None:
    """By amount or wish lists, either way; the same amount keeps the order of creation, over pages too."""
    ids = world.ids(sortBy=f"{field} {order}", pageSize=20) + world.ids(
        sortBy=f"{field} {order}", pageSize=20, startIndex=20
    )
    everybody = list(world.box.kibo.account_ids())
    amounts = {one: _amount(world, one) if name else 0.0 for one in everybody}
    assert ids == sorted(everybody, key=lambda one: amounts[one], reverse=order == "desc")


def _amount(world: KiboWorld, account_id: int) -> float:
    summary = world.box.kibo.account(account_id)["commerceSummary"]
    assert isinstance(summary, dict)
    return float(summary["totalOrderAmount"]["amount"])


def test_a_second_field_decides_between_equals(world: KiboWorld) -> None:
    """Fields are separated by commas, each with its order."""
    ids = world.ids(sortBy="commerceSummary.wishlistCount asc, createDate desc", pageSize=50)
    assert ids == list(world.box.kibo.account_ids())[::-1]


@pytest.mark.parametrize(
    ("how", "names"),
    [
        ("flattened", {"updateDate"}),
        ("nested", {"auditInfo.updateDate"}),
        ("both", {"updateDate", "auditInfo.updateDate"}),
    ],
)
def test_the_filter_by_update_takes_the_flattened_name_or_the_nested(
    clock: FakeClock, how: str, names: set[str]
) -> None:
    """Which of the two is understood is in no description: a setting; either can be refused altogether."""
    for refuses in (False, True):
        settings = SandboxSettings(
            customers=3, update_date_name=how, update_date_filter="refuse" if refuses else "works"
        )
        with Sandbox(settings, clock=clock.now) as box, KiboWorld(box) as world:
            box.kibo.update_account(1002, firstName="New")
            since = (clock.now() - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            taken = set()
            for name in ("updateDate", "auditInfo.updateDate"):
                answer = world.accounts(filter=f"{name} ge {since}")
                if answer.status_code == 200:
                    taken.add(name)
                    assert [one["id"] for one in answer.json()["items"]] == [1002]
            assert taken == (set() if refuses else names)


def test_a_nested_creation_date_is_not_understood(world: KiboWorld) -> None:
    """That createDate is flattened is proven."""
    assert world.accounts(filter="auditInfo.createDate ge 2020-01-01").status_code == 400


@pytest.mark.undescribed
def test_what_nobody_declared_survives_get_and_put(world: KiboWorld) -> None:
    """A newer field, known or not, is shown, can be sent back, and stays; a new one is taken."""
    world.box.kibo.update_account(1001, last2FaDate="2026-09-01T10:00:00.123Z")
    shown = world.get(f"{ACCOUNTS}/1001").json()
    assert shown["last2FaDate"] == "2026-09-01T10:00:00.123Z"
    after = world.put(1001, shown | {"acceptsMarketing": True, "loyaltyBlob": {"level": 3}}).json()
    assert (after["last2FaDate"], after["loyaltyBlob"]) == ("2026-09-01T10:00:00.123Z", {"level": 3})
    assert world.get(f"{ACCOUNTS}/1001", responseFields="last2FaDate").json() == {"last2FaDate": shown["last2FaDate"]}


@pytest.mark.undescribed
def test_numbers_survive_to_the_digit(world: KiboWorld) -> None:
    """What was written with thirty digits, or as 1.0, is shown like that, by the PUT, the GET and the list."""
    figures = '"figures":{"long":0.123456789012345678901234567890,"one":1.0,"whole":98765432109876543210987}'
    text = world.get(f"{ACCOUNTS}/1001").text
    headers = {**world.headers, "Content-Type": "application/json"}
    body = f"{text[:-1]},{figures}}}"
    answer = requests.put(world.url(f"{ACCOUNTS}/1001"), data=body, headers=headers, timeout=5)
    for shown in (answer, world.get(f"{ACCOUNTS}/1001"), world.accounts(filter="id eq 1001")):
        assert figures in shown.text


@pytest.mark.parametrize(
    ("path", "application"),
    [
        (f"{ACCOUNTS}/99", "Customer"),
        ("/api/event/pull?hat=1", "Event"),
        ("/api/platform/tenants/99", "Tenant"),
        (SIGN_IN, "AppDev"),
        ("/api/other", "Platform"),
    ],
)
def test_an_error_names_the_application_that_was_asked(world: KiboWorld, path: str, application: str) -> None:
    """applicationName is Customer only where customers were asked for."""
    host = world.box.urls.kibo_tenant if path.startswith(ACCOUNTS) else world.box.urls.kibo_home
    answer = requests.get(host + path, headers=world.headers, timeout=5)
    assert answer.status_code >= 400
    assert answer.json()["applicationName"] == application


def test_what_hangs_below_an_account_is_paged(world: KiboWorld) -> None:
    """Contacts, attributes and segments are collections of their own, as the account shows them."""
    everybody = (world.get(f"{ACCOUNTS}/{one}").json() for one in world.box.kibo.account_ids())
    whole = next(one for one in everybody if len(one["contacts"]) > 1)
    one = whole["id"]
    for part in ("contacts", "attributes", "segments"):
        page = world.get(f"{ACCOUNTS}/{one}/{part}").json()
        assert page["items"] == whole[part]
        assert (page["startIndex"], page["pageSize"], page["totalCount"]) == (0, 20, len(whole[part]))
    second = world.get(f"{ACCOUNTS}/{one}/contacts", startIndex=1, pageSize=1, responseFields="items(id)").json()
    assert second == {"items": [{"id": whole["contacts"][1]["id"]}]}
    assert world.get(f"{ACCOUNTS}/99/contacts").status_code == 404
    assert world.get(f"{ACCOUNTS}/{one}/contacts", filter="email eq a@example.com").status_code == 400


def test_the_audit_log_tells_who_changed_consent(world: KiboWorld, clock: FakeClock) -> None:
    """Each change of a field is an entry with both values, its time, the user, and the application."""
    account_id = world.box.kibo.add_account(emailAddress="ann@example.com", acceptsMarketing=False)
    world.box.kibo.opt_in(account_id)
    clock.sleep(60)
    world.put(account_id, world.get(f"{ACCOUNTS}/{account_id}").json() | {"acceptsMarketing": False})
    entries = world.get(f"{ACCOUNTS}/{account_id}/AuditLog/Entries").json()["items"]
    told = [(one["fieldPath"], one["oldValue"], one["newValue"], one["application"]) for one in entries]
    assert told == [
        ("/Customer/AcceptsMarketing", "False", "True", "Storefront"),
        ("/Customer/AcceptsMarketing", "True", "False", world.box.settings.kibo_client_id),
    ]
    assert [one["entryUser"] for one in entries] == [world.box.kibo.account(account_id)["userId"], None]
    assert entries[0]["entryDate"] < entries[1]["entryDate"]
