"""The control port: what persons and staff do in the store and at Constant Contact, over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings

UPDATED = "customeraccount.updated"


class Port:
    """A client of the control port."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.session = requests.Session()

    def post(self, path: str, **body: object) -> Any:
        """The result of an action that must succeed."""
        answer = self.session.post(self.box.urls.control + path, json=body, timeout=5)
        assert answer.status_code == 200, answer.text
        return answer.json().get("result")

    def refused(self, path: str, **body: object) -> bool:
        return self.session.post(self.box.urls.control + path, json=body, timeout=5).status_code == 400

    def look(self, path: str, **query: str) -> Any:
        return self.session.get(self.box.urls.control + path, params=query, timeout=5).json()


@pytest.fixture
def port() -> Iterator[Port]:
    """The control port of a store of ten customers."""
    with Sandbox(SandboxSettings(customers=10)) as box:
        made = Port(box)
        yield made
        made.session.close()


def test_changes_in_the_store_make_events(port: Port) -> None:
    """Who opts out, is changed, added or deleted over the port is among the events, once for each site."""
    port.post("/store/add", fields={"emailAddress": "ann@example.com", "acceptsMarketing": True})
    assert port.post("/store/opt-out", address="ann@example.com") == 1
    assert port.post("/store/delete", address="ANN@example.com") == 1
    topics = [one["topic"].partition(".")[2] for one in port.look("/events")]
    assert topics == ["created", "created", "updated", "updated", "deleted", "deleted"]
    assert port.refused("/store/delete", address="ann@example.com")


def test_odd_events(port: Port) -> None:
    """Odd events, repeats, lag and a store that forgets are to be had."""
    added = port.post("/events/add", topic=UPDATED, entity_id=1001, fields={"isTest": True})
    port.post("/events/repeat", id=added)
    port.post("/events/lag", seconds=60)
    port.post("/store/add", fields={})
    assert [one["id"] for one in port.look("/events")] == [added, added]
    port.post("/clock", seconds=61)
    assert len(port.look("/events")) == 4
    port.post("/events/forget")
    assert port.look("/events") == []
    assert port.refused("/events/repeat", id=added)
    assert port.refused("/events/add", topic=UPDATED, entity_id=1, fields={"hat": 1})


def test_lists_are_left_and_joined(port: Port) -> None:
    """A person, or staff, takes a contact off one list or puts it there; some have no address."""
    reader = port.look("/members", list="Newsletter")[-1]
    port.post("/contacts/leave-list", address=reader, list="Newsletter", source="Account")
    assert reader not in port.look("/members", list="Newsletter")
    port.post("/contacts/join-list", address=reader, list="Newsletter")
    assert reader in port.look("/members", list="Newsletter")
    before = port.box.cc.member_count("Newsletter")
    port.post("/contacts/sms-only", number="2025550199", lists=["Newsletter"])
    assert port.box.cc.member_count("Newsletter") == before + 1
    assert port.look("/state")["welcomed"] == []


def test_config_names_the_host_of_the_events() -> None:
    """Where events are at the tenant's host alone, the ready config says so."""
    with Sandbox(SandboxSettings(customers=0, event_host="tenant")) as box:
        assert f'event_url = "{box.urls.kibo_tenant}"' in box.config_text()
    with Sandbox(SandboxSettings(customers=0)) as box:
        assert "event_url" not in box.config_text()


def test_an_account_gets_lists_fields_addresses_and_loses_privileges(port: Port) -> None:
    """What configure meets: a new list, a field whose name is not its label, an unconfirmed address, no privilege."""
    assert port.look("/members", list=port.post("/lists/add", name="VIP")) == []
    assert port.post("/fields/add", label="Hat size", type="date") == "Hat_size"
    port.post("/account/address", address="NEWS@example.com", confirmed=False)
    confirmed = {one.address: one.is_confirmed for one in port.box.cc.account.addresses}
    assert confirmed["NEWS@example.com"] is False
    assert "News@example.com" not in confirmed
    port.post("/account/privileges", lacks=["contacts:write"])
    assert "contacts:write" not in port.box.cc.account.privileges
    assert port.refused("/account/privileges", lacks=["contacts:sing"])
    assert port.post("/tags/add", name="VIP") == port.box.cc.tags.ids([-1])[0]
    assert port.post("/automations/add", name="Welcome", lists=["Newsletter"], create_source="Contact")
    assert port.refused("/automations/add", name="Welcome", lists=["No such list"])
    port.post("/account/privileges", lacks=[])
    assert "contacts:write" in port.box.cc.account.privileges


def test_people_move_and_the_record_shows_it(port: Port) -> None:
    """Redaction, rename, confirmation and deletion for good are to be had, and GET /acts tells of them."""
    account_id = port.post("/store/add", fields={"emailAddress": "ann@example.com", "acceptsMarketing": True})
    port.post("/store/redact", account_id=account_id, placeholder="redacted@anonymous.invalid", accepts=False)
    reader = port.look("/members", list="Newsletter")[-1]
    port.post("/contacts/rename", address=reader, new_address="moved@example.com")
    port.post("/contacts/delete", address="moved@example.com", for_good=True)
    assert port.refused("/contacts/confirm", address="moved@example.com")
    acts = [(one["actor"], one["kind"], one["says"]) for one in port.look("/acts")]
    assert acts == [
        ("person", "sign-up", True),
        ("staff", "redact", None),
        ("person", "rename", None),
        ("staff", "delete", None),
    ]


def test_vendors_go_wrong_and_are_put_right(port: Port) -> None:
    """Refusals, courses of jobs, pages, totals, plans and clocks can be set from outside."""
    port.post("/kibo/refuse", operation="put", status=409, record=1001)
    port.post("/kibo/total", off=1)
    port.post("/kibo/page", how="short")
    port.post("/cc/refuse", operation="import", status=400, seconds=60)
    port.post("/cc/job", kind="removal", seconds=None)
    port.post("/cc/page", how="repeat", nth=2)
    port.post("/cc/file", how="short")
    port.post("/cc/plan", limit=7)
    port.post("/clock/vendor", vendor="cc", seconds=600)
    port.post("/clock/date", vendor="kibo", seconds=600)
    box = port.box
    assert (box.kibo.total_off, box.cc.plan.limit) == (1, 7)
    assert (box.clocks["cc"]() - box.clocks["kibo"]()).total_seconds() > 599
    assert box.kibo.page_faults.next() == box.cc.file_faults.next() == "short"
    port.post("/kibo/relent")
    port.post("/cc/relent")
    assert (box.kibo.total_off, box.cc.page_faults.next(), box.cc.page_faults.next()) == (0, None, None)
    assert port.refused("/cc/job", kind="dance", seconds=1)
    assert port.refused("/kibo/refuse", operation="dance", status=400)
