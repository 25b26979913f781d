"""The Constant Contact client on the wire: pages along relative links, shapes checked, nothing sent elsewhere."""

from datetime import UTC, datetime

import pytest
import requests_mock

from ccsync.constant_contact.client import ConstantContact
from ccsync.errors import RefusedError, VendorUnreachable
from ccsync.transport.http import Transport
from tests.doubles import FakeClock, FixedToken, OpenGate

HOST = "https://api.cc.email"
API = HOST + "/v3"


@pytest.fixture
def client() -> ConstantContact:
    transport = Transport(
        vendor="Constant Contact", origins=["https://api.cc.email:443"], clock=FakeClock(), gate=OpenGate()
    )
    return ConstantContact(transport, FixedToken(), api_url=API)


def contact(number: int, **changes: object) -> dict[str, object]:
    email = {"address": f"p{number}@example.com", "permission_to_send": "implicit"}
    return {"contact_id": str(number), "email_address": email, **changes}


def test_pages_follow_the_relative_next_link(client: ConstantContact, requests_mock: requests_mock.Mocker) -> None:
    """Every page is read, each by the link of the one before, with our parameters on the first alone."""
    first = {"contacts": [contact(1)], "_links": {"next": {"href": "/v3/contacts?cursor=abc%3D"}}}
    requests_mock.get(API + "/contacts", [{"json": first}, {"json": {"contacts": [contact(2)]}}])
    pages = list(client.iter_contact_pages(status="unsubscribed"))
    assert [[one.contact_id for one in page] for page in pages] == [["1"], ["2"]]
    assert requests_mock.request_history[0].qs == {"status": ["unsubscribed"], "limit": ["500"]}
    assert requests_mock.request_history[1].query == "cursor=abc%3d"


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/v3/contacts?cursor=1",
        "http://api.cc.email/v3/contacts?cursor=1",
        "//evil.example/v3/contacts",
        "https://api.cc.email@evil.example/v3/x",
        "https://api.cc.email.evil.example/v3/x",
        "https://api.cc.email:8443/v3/x",
        "@evil.example/x",
        ".evil.example/x",
        ":443@evil.example/v3/",
        "\\\\evil.example\\v3\\x",
        "/\\evil.example/v3/x",
        "/v3\\@evil.example/",
        " https://evil.example/",
        " /v3/contacts",
        "/v3/contacts\t",
        "/v3/contacts\r\nHost: evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "HTTPS://EVIL.EXAMPLE/v3/x",
        "/other/contacts",
    ],
)
def test_a_next_link_elsewhere_is_never_followed(
    client: ConstantContact, requests_mock: requests_mock.Mocker, href: str
) -> None:
    """However another host is written, the run stops before the token goes there."""
    requests_mock.get(API + "/contacts", json={"contacts": [contact(1)], "_links": {"next": {"href": href}}})
    with pytest.raises(RefusedError):
        list(client.iter_contact_pages())
    assert requests_mock.call_count == 1


def test_pages_that_go_in_circles_end(client: ConstantContact, requests_mock: requests_mock.Mocker) -> None:
    """A cursor that comes again ends the listing with an error, and nothing is concluded from it."""
    page = {"contacts": [], "_links": {"next": {"href": "/v3/contacts?cursor=same"}}}
    requests_mock.get(API + "/contacts", json=page)
    with pytest.raises(VendorUnreachable, match="circles"):
        list(client.iter_contact_pages())
    assert requests_mock.call_count == 2


def test_nothing_but_empty_pages_is_no_listing(client: ConstantContact, requests_mock: requests_mock.Mocker) -> None:
    """Empty pages without an end, each with another cursor, end with an error after some twenty calls."""
    number = 0

    def page(_request: object, _context: object) -> dict[str, object]:
        nonlocal number
        number += 1
        return {"contacts": [], "_links": {"next": {"href": f"/v3/contacts?cursor={number}"}}}

    requests_mock.get(API + "/contacts", json=page)
    with pytest.raises(VendorUnreachable, match="circles"):
        list(client.iter_contact_pages())
    assert requests_mock.call_count <= 25


@pytest.mark.parametrize("body", [None, [], {}, {"error": "x"}])
def test_an_answer_of_another_shape_is_no_missing_record(
    client: ConstantContact, requests_mock: requests_mock.Mocker, body: object
) -> None:
    """Only a 404 says that a contact or a list is gone."""
    requests_mock.get(API + "/contacts/1", json=body)
    requests_mock.get(API + "/contact_lists/1", json=body)
    with pytest.raises(VendorUnreachable):
        client.get_contact("1")
    with pytest.raises(VendorUnreachable):
        client.get_list("1")
    for path in ("/contacts/1", "/contact_lists/1"):
        requests_mock.get(API + path, status_code=404, json=[{"error_key": "not_found"}])
    assert client.get_contact("1") is None
    assert client.get_list("1") is None


def test_an_expired_cursor_restarts_the_listing_once(
    client: ConstantContact, requests_mock: requests_mock.Mocker
) -> None:
    """A 400 for a cursor begins anew; a second one is an error."""
    first = {"contacts": [contact(1)], "_links": {"next": {"href": "/v3/contacts?cursor=old"}}}
    gone = {"status_code": 400, "json": [{"error_key": "contacts.api.validation.error"}]}
    requests_mock.get(API + "/contacts", [{"json": first}, gone, {"json": {"contacts": [contact(2)]}}])
    assert [one.contact_id for page in client.iter_contact_pages() for one in page] == ["1", "2"]
    requests_mock.get(API + "/contacts", [{"json": first}, gone, {"json": first}, gone])
    with pytest.raises(RefusedError):
        list(client.iter_contact_pages())


@pytest.mark.parametrize("body", [None, [], {}, {"contacts": None}, {"contacts": {}}, "text"])
def test_a_page_of_another_shape_is_no_empty_page(
    client: ConstantContact, requests_mock: requests_mock.Mocker, body: object
) -> None:
    """Nobody is taken for not unsubscribed because a page was not what it should be."""
    requests_mock.get(API + "/contacts", json=body)
    with pytest.raises(VendorUnreachable):
        list(client.iter_contact_pages())


def test_odd_records_are_read_for_what_they_are(client: ConstantContact, requests_mock: requests_mock.Mocker) -> None:
    """SMS-only contacts, unknown permissions, null fields and all five forms of dates."""
    dates = [
        "2022-11-16T16:20:59.091Z", "2016-03-03T10:53:04-05:00", "2026-04-28T21:46:22Z",
        "2026-02-05T07:32:49.766+0000", "2016-07-08",
    ]  # fmt: skip
    rows = [
        {"contact_id": "sms", "email_address": None},
        {"contact_id": "new", "email_address": {"address": "a@example.com", "permission_to_send": "paused"}},
        {"no": "id"},
        None,
        *({"contact_id": day, "updated_at": day, "deleted_at": "2016-07-08"} for day in dates),
    ]
    requests_mock.get(API + "/contacts", json={"contacts": rows})
    page = next(client.iter_contact_pages())
    assert [one.contact_id for one in page][:2] == ["sms", "new"]
    assert page[0].email is None
    assert page[1].permission_to_send == "paused"
    assert not page[1].has_unsubscribed
    assert [one.updated_at for one in page[2:]] == [
        datetime(2022, 11, 16, 16, 20, 59, 91000, UTC),
        datetime(2016, 3, 3, 15, 53, 4, 0, UTC),
        datetime(2026, 4, 28, 21, 46, 22, 0, UTC),
        datetime(2026, 2, 5, 7, 32, 49, 766000, UTC),
        datetime(2016, 7, 8, 0, 0, 0, 0, UTC),
    ]


def test_a_list_that_appeared_meanwhile_is_taken(client: ConstantContact, requests_mock: requests_mock.Mocker) -> None:
    """Creating a list whose name was taken a moment ago finds it instead."""
    requests_mock.post(API + "/contact_lists", status_code=409, json=[{"error_key": "conflict"}])
    requests_mock.get(API + "/contact_lists", json={"lists": [{"list_id": "L", "name": "Shop"}]})
    assert client.create_list("Shop").list_id == "L"


def test_a_deleted_list_is_none(client: ConstantContact, requests_mock: requests_mock.Mocker) -> None:
    """Gone by 404 or marked as deleted is the same."""
    requests_mock.get(API + "/contact_lists/a", status_code=404, json=[])
    requests_mock.get(API + "/contact_lists/b", json={"list_id": "b", "name": "B", "deleted_at": "2026-01-01"})
    assert client.get_list("a") is None
    assert client.get_list("b") is None


def test_an_activity_of_an_unknown_state_is_still_running(
    client: ConstantContact, requests_mock: requests_mock.Mocker
) -> None:
    """Only the states that are known to be final end the wait; `time_out` is one of the vendor's two spellings."""
    states = ["initialized", "processing", "paused?", "completed", "cancelled", "failed", "timed_out", "time_out"]
    rows = [{"activity_id": state, "state": state, "status": {}} for state in states]
    requests_mock.get(API + "/activities", json={"activities": rows})
    finished = {one.state for one in client.get_activities() if one.is_finished}
    assert finished == {"completed", "cancelled", "failed", "timed_out", "time_out"}
