"""The look at the members before many are updated: by the fewest calls, and with nothing lost by that."""

from pathlib import Path

import pytest

from ccsync.from_constant_contact import members
from ccsync.to_constant_contact import imports
from tests.harness import LIST, Shop, imported_rows
from tests.jobs.polling import accepts, join, small_shop
from tests.jobs.test_export import seed_contact

CROWD = [f"person{number}@example.com" for number in range(24)]
LEFT, REPLACED = CROWD[3], CROWD[7]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of many pages, and an import too large for its contacts to be identified."""
    monkeypatch.setattr(members, "PAGE_SIZE", 2)
    monkeypatch.setattr(imports, "MOST_IDENTIFIED", 0)


def change_everybody(shop: Shop) -> tuple[list[int], int]:
    """People are exported and changed since; one has left the list, and one's contact is another source's now."""
    accounts = join(shop, *CROWD)
    shop.export()
    shop.later(minutes=30)
    shop.box.cc.leave_list(LEFT, LIST)
    shop.box.cc.delete_contact(REPLACED, for_good=True)
    shop.later(minutes=30)
    now = shop.clock.now()
    shop.box.cc.add_contact(seed_contact(REPLACED, lists=(LIST,), created_at=now, updated_at=now))
    for one in accounts:
        shop.box.kibo.update_account(one, lastName="Changed")
    return accounts, len(imported_rows(shop))


def looks(shop: Shop) -> tuple[int, int]:
    """How many exports of the list were started, and how many pages of it were read."""
    calls = list(shop.box.requests.records)
    pages = [one for one in calls if any(name == "lists" for name, _ in one.query)]
    return sum(one.method == "POST" and b"list_ids" in one.body and "exports" in one.path for one in calls), len(pages)


@pytest.mark.parametrize(
    ("settings", "ways"),
    [
        ({"export_dates": "zulu"}, (1, 0)),
        ({"export_dates": "offset"}, (1, 0)),
        ({"export_headings": "names"}, (1, 0)),
        ({"export_dates": "date"}, (1, 1)),
        ({"export_created_at": "absent"}, (1, 1)),
        ({"export_created_at": "refuse"}, (1, 1)),
    ],
)
def test_many_changed_people_are_looked_at_by_one_export(
    settings: dict[str, object], ways: tuple[int, int], tmp_path: Path
) -> None:
    """Who left is not sent, and a contact that another source has made keeps its data, as by the pages.

    A file that does not tell when a contact was made proves too little: then the pages are read.
    """
    with small_shop(tmp_path, customers=0, **settings) as shop:
        accounts, before = change_everybody(shop)
        shop.flush()
        sent = {str(row["email"]): row for row in imported_rows(shop)[before:]}
        assert set(sent) == set(CROWD) - {LEFT}
        assert {one for one, row in sent.items() if row.get("last_name") != "Changed"} == {REPLACED}
        assert looks(shop) == ways
        shop.poll()
        assert accepts(shop, accounts[CROWD.index(LEFT)]) is False
        assert accepts(shop, accounts[CROWD.index(REPLACED)]) is True


@pytest.mark.parametrize(
    "settings", [{"export_dates": "date"}, {"export_created_at": "absent"}, {"export_created_at": "refuse"}]
)
def test_what_the_file_lacks_is_remembered(settings: dict[str, object], tmp_path: Path) -> None:
    """A vendor whose files show no date with a zone is not asked for one again in the same week."""
    with small_shop(tmp_path, customers=0, **settings) as shop:
        accounts, _ = change_everybody(shop)
        shop.flush()
        shop.later(minutes=30)
        for one in accounts:
            shop.box.kibo.update_account(one, lastName="Again")
        shop.flush()
        assert looks(shop)[0] == 1


def test_a_file_that_was_cut_off_is_no_proof(tmp_path: Path) -> None:
    """The pages are read, and nobody whom the file lacks is taken for departed."""
    with small_shop(tmp_path, customers=0) as shop:
        _, before = change_everybody(shop)
        body = "Email address,Created at\n" + "".join(f"{one},2020-01-01T00:00:00Z\n" for one in CROWD[:2])
        shop.box.faults.add("wrong-body", path="/v3/contact_exports", nth=1, body=body, content_type="text/csv")
        shop.flush()
        assert {row["email"] for row in imported_rows(shop)[before:]} == set(CROWD) - {LEFT}
        assert looks(shop) == (1, 1)
