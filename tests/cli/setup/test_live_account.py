"""What a configuration reads of the live accounts: a customer to show, fields by label, limits, refusals."""

from dataclasses import replace
from pathlib import Path

import pytest

from ccsync.cli.setup import live_account
from ccsync.config.schema import DEFAULT_MAPPING
from ccsync.errors import ConfigError, RefusedError
from ccsync.models import AccountEmail, ContactList, Customer, CustomField
from ccsync.sandbox.settings import SandboxSettings
from tests.harness import Shop

SETTINGS = SandboxSettings(customers=30, seed=7)


def a_customer(**raw: object) -> Customer:
    return Customer(1, "ann@example.com", True, None, None, None, raw)


def sample(shop: Shop) -> Customer | None:
    store = shop.open()
    tools = shop._clients(store)
    found = live_account.sample_customer(tools.kibo, DEFAULT_MAPPING)
    shop._close(store, tools)
    return found


@pytest.mark.parametrize("rows_carry", [SETTINGS.rows_carry, frozenset[str]()], ids=["whole", "bare"])
def test_the_sample_is_read_whole(tmp_path: Path, rows_carry: frozenset[str]) -> None:
    """Whatever rows of a list carry, the one customer shown has contacts and attributes, and opted in."""
    with Shop(tmp_path, replace(SETTINGS, rows_carry=rows_carry)) as shop:
        found = sample(shop)
    assert found is not None
    assert found.accepts_marketing is True
    assert {"contacts", "attributes"} <= found.raw.keys()
    assert {"first_name", "last_name"} <= live_account.values_of(found, DEFAULT_MAPPING).keys()


def test_there_may_be_nobody_to_show(tmp_path: Path) -> None:
    """Nobody opted in, or only people without a usable address."""
    with Shop(tmp_path, replace(SETTINGS, customers=0)) as shop:
        assert sample(shop) is None
        shop.box.kibo.add_account(acceptsMarketing=True, emailAddress="nobody")
        assert sample(shop) is None


def test_values_are_those_that_would_be_sent() -> None:
    """Cleaned and cut as an export does it; a wrong line, and one that sends nothing, has none."""
    customer = a_customer(firstName=" Eve\x1b\u202e ", lastName="", id=7)
    mapping = {"first_name": "firstName", "last_name": "lastName", "jop": "id", "cf:n": "id", "job_title": "nothing"}
    assert live_account.values_of(customer, mapping) == {"first_name": "Eve", "cf:n": "7"}


def test_a_label_stands_for_its_name() -> None:
    """An exact name goes before another field's label; what is unknown stays as it is."""
    fields = [CustomField("1", "hat_size", "Hat Size", "string"), CustomField("2", "cap", "hat_size", "date")]
    mapping = {"cf:HAT SIZE": "id", "cf:hat_size": "id", "cf:shoe": "id", "first_name": "firstName"}
    assert list(live_account.with_labels_as_names({"cf:HAT SIZE": "id", "cf:shoe": "id"}, fields)) == [
        "cf:hat_size",
        "cf:shoe",
    ]
    assert live_account.missing_fields(mapping, fields) == ["HAT SIZE", "shoe"]
    assert [one.name for one in live_account.odd_fields({"cf:cap": "id", "cf:hat_size": "id"}, fields)] == ["cap"]


def test_an_address_is_found_in_any_case_and_has_to_be_confirmed() -> None:
    """The error tells why and how many would do, and repeats no address."""
    emails = [AccountEmail("Info@example.com", True), AccountEmail("new@example.com", False)]
    assert live_account.find_confirmed(" info@EXAMPLE.com", "from_email", emails) == "Info@example.com"
    for address, why in (("new@example.com", "has not confirmed it"), ("x@example.com", "not an address")):
        with pytest.raises(ConfigError) as caught:
            live_account.find_confirmed(address, "from_email", emails)
        assert why in caught.value.why
        assert "1 confirmed" in caught.value.fix
        assert "example" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"


def test_a_list_s_twin_in_capitals_is_not_made() -> None:
    """Two lists that people cannot tell apart are a trap; the command that takes the other one can be pasted."""
    lists = [ContactList("1", "It's us", None, None)]
    with pytest.raises(ConfigError) as caught:
        live_account.check_new_list("IT'S US", lists)
    assert caught.value.fix.endswith("""--list 'It'"'"'s us'""")
    live_account.check_new_list("It is us", lists)


def test_room_is_counted_before_anything_is_made() -> None:
    """99 and one are 100; 99 and two are too many."""
    fields = [CustomField(str(one), f"f{one}", f"F{one}", "string") for one in range(99)]
    live_account.check_room(["a"], fields)
    live_account.check_room([], [*fields, *fields])
    with pytest.raises(RefusedError, match="No custom field was created"):
        live_account.check_room(["a", "b"], fields)
