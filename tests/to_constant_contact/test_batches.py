"""Batches: cut by encoded bytes and by count, found again when their answer was lost, halved when refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccsync.errors import RefusedError
from ccsync.models import Activity
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state.batches import PREPARED, Batch, BatchRow
from ccsync.to_constant_contact import batches, bisection
from ccsync.to_constant_contact.batches import (
    BODY_END,
    CLOCK_SLACK,
    Batcher,
    Outgoing,
    body_start,
    encode_row,
    matching,
)
from tests.harness import Shop, imported_rows

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LIST = "07936f78-662a-11eb-af0a-fa163e56c9b0"


def outgoing(number: int, size: int = 100) -> Outgoing:
    address = f"p{number}@example.com"
    row = {"email": address, "first_name": "é" * size}
    return Outgoing(BatchRow(number.to_bytes(16, "big"), number, address, b"f" * 16, True), encode_row(row))


def batches_of(stream: Iterator[Outgoing]) -> list[list[Outgoing]]:
    batcher = Batcher(stream, LIST)
    found = []
    while batch := list(batcher.take()):
        found.append(batch)
    return found


def test_batches_are_cut_by_encoded_bytes() -> None:
    """No body passes 3.5 MB, counted as sent, and no contact is lost between two batches."""
    found = batches_of(outgoing(number, 150) for number in range(25_000))
    bodies = [body_start(LIST) + b",".join(one.encoded for one in batch) + BODY_END for batch in found]
    assert len(found) > 1
    assert all(len(body) <= batches.MOST_BYTES for body in bodies)
    assert len(bodies[0]) > batches.MOST_BYTES - 1_000
    sent = [row["email"] for body in bodies for row in json.loads(body)["import_data"]]
    assert sent == [f"p{number}@example.com" for number in range(25_000)]
    assert json.loads(bodies[0])["list_ids"] == [LIST]


def test_batches_are_cut_by_count() -> None:
    """At most 40,000 contacts go at once, however small they are."""
    found = batches_of(outgoing(number, 0) for number in range(80_001))
    assert [len(batch) for batch in found] == [40_000, 40_000, 1]


def test_one_contact_larger_than_a_batch_still_goes() -> None:
    """A giant contact makes a batch of its own instead of an endless loop."""
    found = batches_of(outgoing(number, 2_000_000 if number == 1 else 1) for number in range(3))
    assert [len(batch) for batch in found] == [1, 1, 1]


def test_deciding_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Whoever is sent is read and decided on outside of every transaction: a million may be gone through for one."""
    with Shop(tmp_path, SandboxSettings(customers=0)) as shop:
        store = shop.open()
        tools = shop._clients(store)
        context, was_waiting = shop._context(store, tools), list[bool]()

        def decided() -> Iterator[Outgoing]:
            for number in range(1_200):
                was_waiting.append(store.is_in_transaction)
                yield outgoing(number, 1)
            was_waiting.append(store.is_in_transaction)

        batches.Sender(context).send_all(decided(), 1_200)
        shop._close(store, tools)
        assert len(imported_rows(shop)) == 1_200
    assert set(was_waiting) == {False}
    assert len(was_waiting) == 1_201


def activity(number: int, *, minutes: float = 1, total: int | None = None) -> Activity:
    at = NOON + timedelta(minutes=minutes)
    return Activity(str(number), "processing", at, None, total, None, None, None, ())


@pytest.mark.parametrize(
    ("case", "shown", "known", "found"),
    [
        ("nothing there", [], set(), None),
        ("the right count", [activity(1, total=10)], set(), "1"),
        ("the right count with a header row", [activity(1, total=11)], set(), "1"),
        ("not counted yet", [activity(1)], set(), "1"),
        ("counted as 0 yet", [activity(1, total=0)], set(), "1"),
        ("another's count", [activity(1, total=12)], set(), None),
        ("made before", [activity(1, minutes=-10, total=10)], set(), None),
        ("a batch of ours", [activity(1, total=10)], {"1"}, None),
        ("the earliest of several", [activity(2, minutes=3), activity(1, minutes=2)], set(), "1"),
    ],
)
def test_the_activity_of_a_lost_answer(case: str, shown: list[Activity], known: set[str], found: str | None) -> None:
    """It was made since, belongs to no other batch, and has the batch's count."""
    batch = Batch(1, 1, LIST, PREPARED, None, 10, NOON)
    match = matching(batch, shown, known)
    assert (match.activity_id if match else None) == found, case
    assert timedelta(minutes=10) > CLOCK_SLACK


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SandboxSettings(customers=40, seed=9)) as made:
        yield made


def test_an_import_whose_answer_was_lost_is_not_sent_again(shop: Shop) -> None:
    """The activity is found in the list, its people are looked for, and everybody is on the list once sent."""
    shop.box.faults.add("reset-after", method="POST", path=".*contacts_json_import")
    run = shop.export()
    assert run.status == "COMPLETE"
    addresses = [row["email"] for row in imported_rows(shop)]
    assert len(addresses) == len(set(addresses))
    assert shop.members() == {str(address).lower() for address in addresses}


def test_an_import_that_never_arrived_is_sent_again(shop: Shop) -> None:
    """When no activity shows up, the batch goes out once more."""
    shop.box.faults.add("reset-before", method="POST", path=".*contacts_json_import")
    assert shop.export().status == "COMPLETE"
    assert len(shop.members()) > 15


def test_one_bad_record_does_not_stop_its_batch(shop: Shop) -> None:
    """A batch that is refused as a whole is halved until the bad record is found and named."""
    shop.box.kibo.add_account(emailAddress="poison@example.com", firstName="P", acceptsMarketing=True)
    real = shop.box.cc.handle_api

    def refusing(request: object) -> object:
        if b"poison@example.com" in request.body:  # type: ignore[attr-defined]
            from ccsync.sandbox.wire import Reply

            return Reply.json(400, [{"error_key": "contacts.api.validation.error", "error_message": "no"}])
        return real(request)  # type: ignore[arg-type]

    shop.box._servers._handlers = {**shop.box._servers._handlers, "cc_api": refusing}  # type: ignore[assignment,dict-item]
    run = shop.export()
    refused = [record for record in shop.rejected(run) if record.code == "refused"]
    assert [record.email for record in refused] == ["poison@example.com"]
    assert len(shop.members()) > 15
    shop.export()
    assert not shop.news


def test_a_trouble_that_is_no_record_s_ends_soon(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When everything is refused, the halving stops after a bounded number of calls, and nothing is parked."""
    monkeypatch.setattr(bisection, "MOST_BLIND", 6)
    shop.box.faults.add("status", method="POST", path=".*contacts_json_import", nth=None, status=400, body="[]")
    with pytest.raises(RefusedError):
        shop.export()
    assert sum("contacts_json_import" in one for one in shop.requests("POST")) <= 8
    assert "refused" not in {one.code for one in shop.rejected(shop.latest()[0])}
