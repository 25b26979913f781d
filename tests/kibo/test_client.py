"""The Kibo client on the wire: tokens, the tenant, accounts, in whatever shape they come."""

import json

import pytest
import requests_mock

from ccsync.errors import ConfigError, VendorUnreachable
from ccsync.kibo.client import Kibo
from ccsync.kibo.customers import to_customer
from ccsync.kibo.sign_in import request_token
from ccsync.transport.http import Transport
from tests.doubles import FakeClock, FixedToken, OpenGate

HOME, TENANT = "https://home.example.com", "https://t1.example.com"
TOKEN = HOME + "/api/platform/applications/authtickets/oauth"
ACCOUNTS = TENANT + "/api/commerce/customer/accounts"


@pytest.fixture
def transport() -> Transport:
    origins = [f"{url}:443" for url in (HOME, TENANT)]
    return Transport(vendor="Kibo", origins=origins, clock=FakeClock(), gate=OpenGate())


@pytest.fixture
def client(transport: Transport) -> Kibo:
    return Kibo(transport, FixedToken(), tenant_id=12345, home_url=HOME, tenant_url=TENANT)


def test_the_token_is_asked_for_in_json(transport: Transport, requests_mock: requests_mock.Mocker) -> None:
    """Not form-encoded, with the standard grant type; the lifetime is what the answer says."""
    requests_mock.post(TOKEN, json={"access_token": "t", "expires_in": 1800})
    issued = request_token(transport, HOME, "key", "secret")
    assert issued.expires_in == 1800
    sent = json.loads(requests_mock.last_request.text or "")
    assert sent == {"client_id": "key", "client_secret": "secret", "grant_type": "client_credentials"}
    assert requests_mock.last_request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("seconds", [None, 0, -5, 10**9, "3600", True])
def test_a_senseless_lifetime_is_an_hour(
    transport: Transport, requests_mock: requests_mock.Mocker, seconds: object
) -> None:
    """Nonsense in expires_in falls back to the documented hour."""
    requests_mock.post(TOKEN, json={"access_token": "t", "expires_in": seconds})
    assert request_token(transport, HOME, "key", "secret").expires_in == 3600


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 401, "json": {"errorCode": "INVALID_CREDENTIALS", "message": "secret is wrong"}},
        {"status_code": 403, "text": ""},
        {"status_code": 200, "json": {"errorCode": "INVALID_CREDENTIALS"}},
    ],
)
def test_wrong_credentials_name_the_keys(
    transport: Transport, requests_mock: requests_mock.Mocker, answer: dict[str, object]
) -> None:
    """The error says which vendor and which keys, and repeats nothing of the vendor's words."""
    requests_mock.post(TOKEN, [answer])
    with pytest.raises(ConfigError, match="Kibo refused") as caught:
        request_token(transport, HOME, "key", "hush")
    assert "[kibo] client_id" in caught.value.fix
    assert "is wrong" not in caught.value.why


def test_the_tenant_tells_its_host(client: Kibo, requests_mock: requests_mock.Mocker) -> None:
    """The pod is looked up, never computed."""
    requests_mock.get(HOME + "/api/platform/tenants/12345", json={"domain": "t12345.tp1.example.com", "name": "Shop"})
    assert client.get_tenant().domain == "t12345.tp1.example.com"
    assert requests_mock.last_request.headers["x-vol-tenant"] == "12345"


def test_a_wrong_tenant_names_the_key(client: Kibo, requests_mock: requests_mock.Mocker) -> None:
    """A tenant that is unknown or not this app's is a matter of the config."""
    requests_mock.get(HOME + "/api/platform/tenants/12345", status_code=404, text="")
    with pytest.raises(ConfigError) as caught:
        client.get_tenant()
    assert "tenant_id" in caught.value.fix


def test_a_page_is_asked_for_by_record(client: Kibo, requests_mock: requests_mock.Mocker) -> None:
    """startIndex is a record offset; rows without an id are counted, not dropped silently."""
    rows = [{"id": 1, "emailAddress": " a@example.com "}, {"id": None}, "text", {"id": True}]
    requests_mock.get(ACCOUNTS, json={"totalCount": 9, "items": rows})
    page = client.get_customers(start=199, filter="acceptsMarketing eq true")
    assert (page.total, page.unreadable, [one.account_id for one in page.customers]) == (9, 3, [1])
    assert page.customers[0].email == "a@example.com"
    assert requests_mock.last_request.query.startswith("startindex=199&pagesize=200&sortby=createdate%20asc")


@pytest.mark.parametrize(
    "body", [None, [], {}, {"items": []}, {"totalCount": "9", "items": []}, {"totalCount": 1, "items": {}}]
)
def test_a_page_of_another_shape_is_no_empty_store(
    client: Kibo, requests_mock: requests_mock.Mocker, body: object
) -> None:
    """An answer that is no page of customers ends the run; nobody counts as gone because of it."""
    requests_mock.get(ACCOUNTS, json=body)
    with pytest.raises(VendorUnreachable):
        client.get_customers(start=0)


@pytest.mark.parametrize("text", ["", '{"errorCode": "ITEM_NOT_FOUND"}', "<html>"])
def test_a_deleted_account_is_none(client: Kibo, requests_mock: requests_mock.Mocker, text: str) -> None:
    """A 404 means deleted, with the vendor's error or with an empty body; a web page means nothing."""
    requests_mock.get(ACCOUNTS + "/7", status_code=404, text=text)
    if text.startswith("<"):
        with pytest.raises(VendorUnreachable):
            client.get_customer(7)
    else:
        assert client.get_customer(7) is None


@pytest.mark.parametrize(
    ("value", "consent"),
    [(True, True), (False, False), (None, None), ("true", None), (1, None), (0, None), ([], None)],
)
def test_only_a_boolean_is_consent(value: object, consent: bool | None) -> None:
    """Whatever else stands in acceptsMarketing is neither yes nor no."""
    customer = to_customer({"id": 1, "acceptsMarketing": value})
    assert customer is not None
    assert customer.accepts_marketing is consent


WHOLE = {
    "id": 1001, "emailAddress": "Pat@example.com", "firstName": "Pat", "acceptsMarketing": True, "taxId": None,
    "companyOrOrganization": "", "someday": {"new": [1, 2.5, "🎉"]}, "contacts": [{"id": 7, "auditInfo": {}}],
    "auditInfo": {"updateDate": "2026-05-01T10:00:00Z"}, "commerceSummary": {"visitsCount": 3},
}  # fmt: skip


def test_one_flag_is_written_and_the_rest_as_it_was_read(client: Kibo, requests_mock: requests_mock.Mocker) -> None:
    """Every field goes back, those ccsync knows nothing of included."""
    requests_mock.get(f"{ACCOUNTS}/1001", json=WHOLE)
    whole = client.get_whole_account(1001)
    assert whole is not None
    later = {"updateDate": "2026-05-01T10:30:00Z"}
    answer = {**WHOLE, "acceptsMarketing": False, "auditInfo": later, "commerceSummary": {"visitsCount": 4}}
    put = requests_mock.put(f"{ACCOUNTS}/1001", json=answer)
    written = client.put_consent(whole, accepts=False)
    assert written is not None
    assert json.loads(put.last_request.text or "") == {**WHOLE, "acceptsMarketing": False}
    assert (written.customer.accepts_marketing, written.differing) == (False, ())


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"acceptsMarketing": True}, ("acceptsMarketing",)),
        ({"firstName": None, "emailAddress": None}, ("emailAddress", "firstName")),
        ({"someday": {"new": [1, 2.5]}}, ("someday",)),
        ({"contacts": []}, ("contacts",)),
        ({"acceptsMarketing": 0}, ("acceptsMarketing",)),
        ({"extra": "x"}, ("extra",)),
        ({"companyOrOrganization": None, "taxId": "", "someday": {"new": [1, 2.5, "🎉"], "more": None}}, ()),
    ],
)
def test_an_answer_is_compared_field_by_field(
    client: Kibo, requests_mock: requests_mock.Mocker, changes: dict[str, object], differing: tuple[str, ...]
) -> None:
    """What was lost or changed is named; empty and absent are the same."""
    requests_mock.get(f"{ACCOUNTS}/1001", json=WHOLE)
    requests_mock.put(f"{ACCOUNTS}/1001", json={**WHOLE, "acceptsMarketing": False, **changes})
    whole = client.get_whole_account(1001)
    assert whole is not None
    written = client.put_consent(whole, accepts=False)
    assert written is not None
    assert written.differing == differing


@pytest.mark.parametrize("answer", [{"json": {"id": 1002}}, {"json": []}, {"json": {}}, {"text": "null"}])
def test_another_account_is_no_answer(
    client: Kibo, requests_mock: requests_mock.Mocker, answer: dict[str, object]
) -> None:
    """Nothing is written from it, and nothing is believed of it."""
    requests_mock.get(f"{ACCOUNTS}/1001", **answer)  # type: ignore[arg-type]
    with pytest.raises(VendorUnreachable, match="1001"):
        client.get_whole_account(1001)


def test_an_account_that_is_gone_is_none(client: Kibo, requests_mock: requests_mock.Mocker) -> None:
    """A 404, with an empty body or not, while reading or while writing."""
    requests_mock.get(f"{ACCOUNTS}/1001", json=WHOLE)
    requests_mock.put(f"{ACCOUNTS}/1001", status_code=404, text="")
    whole = client.get_whole_account(1001)
    assert whole is not None
    assert client.put_consent(whole, accepts=False) is None
    requests_mock.get(f"{ACCOUNTS}/1001", status_code=404, text="")
    assert client.get_whole_account(1001) is None
