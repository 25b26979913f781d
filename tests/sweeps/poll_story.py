"""The sweeps' story of poll-unsubscribes: after an export, people decide at Constant Contact in every way."""

from ccsync.mapping.addresses import person_key_text
from ccsync.state import ledger, people
from tests.harness import LIST, Shop
from tests.sweeps.story import LATE_OPT_IN, LATE_OPT_OUT, LEAVER, UNSUBSCRIBER, Story

KEEPER, OPTED_OUT, GONE, BACK, WIPED = (f"{name}@example.com" for name in ("keeper", "out", "gone", "back", "wiped"))
DETAILS = {"firstName": "Pat", "lastName": "Doe", "externalId": "X-77", "taxId": "T-1"}


def prepare_poll(shop: Shop) -> None:
    """Everybody is exported, one was opted out before; then some unsubscribe, one leaves, one comes back."""
    kibo, contacts = shop.box.kibo, shop.box.cc
    everybody = (UNSUBSCRIBER, LEAVER, LATE_OPT_OUT, KEEPER, OPTED_OUT, "Out@Example.com", GONE, BACK, WIPED)
    for address in everybody:
        kibo.add_account(emailAddress=address, acceptsMarketing=True, **DETAILS)
    kibo.add_account(emailAddress=LATE_OPT_IN, firstName="Pat", acceptsMarketing=False)
    kibo.add_account(emailAddress=OPTED_OUT, firstName="Pat", acceptsMarketing=False)
    shop.export()
    shop.flush()
    contacts.unsubscribe(BACK)
    shop.poll()
    shop.later(minutes=30)
    contacts.unsubscribe(OPTED_OUT)
    contacts.leave_list(GONE, LIST)
    contacts.resubscribe(BACK)
    contacts.delete_contact(WIPED)


def run_poll(shop: Shop) -> object:
    """One poll, as once a day."""
    return shop.poll(is_full=True)


def check_poll(shop: Shop) -> None:
    """Every account says what its owner decided at Constant Contact, the rest is untouched, each change told once."""
    expected = {KEEPER: True, OPTED_OUT: False, GONE: False, BACK: True, WIPED: True, LEAVER: LEAVER in shop.members()}
    contact = shop.box.cc.contact(UNSUBSCRIBER) or {}
    expected[UNSUBSCRIBER] = contact["email_address"]["permission_to_send"] != "unsubscribed"  # type: ignore[index]
    for address, accepts in expected.items():
        for account in _accounts(shop, address):
            assert account["acceptsMarketing"] is accepts, address
    assert all(one["taxId"] == "T-1" for address in (GONE, BACK, KEEPER) for one in _accounts(shop, address))
    store = shop.open()
    person_of = people.person_key(store)
    for address, written in {KEEPER: 0, OPTED_OUT: 2, GONE: 1, BACK: 2, WIPED: 0, LATE_OPT_IN: 0}.items():
        rows = ledger.of_person(store, person_of(person_key_text(address)))
        assert sum(one.source == "ccsync" for one in rows) == written, (address, rows)
        assert not any((one.change, one.source) == ("opted-out", "kibo") for one in rows), address
    store.close()
    assert not shop.box.cc.forbidden_calls


def _accounts(shop: Shop, address: str) -> list[dict[str, object]]:
    return [shop.box.kibo.account(account_id) for account_id in shop.box.kibo.find_by_email(address)]


POLL = Story(
    "poll-unsubscribes", prepare_poll, run_poll, check_poll, customers=0, words=("poll-unsubscribes", "--full")
)
