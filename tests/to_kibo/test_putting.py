"""A PUT replaces the account: it goes out once for each reading, and what others write meanwhile survives."""

import json

import pytest

from tests.harness import Shop
from tests.jobs.polling import PAT, accepts, join, puts, settled, told

ACCOUNT = "/api/commerce/customer/accounts/"


def unsubscribed(shop: Shop) -> int:
    """Pat is a customer who unsubscribes at Constant Contact; the account's id."""
    (account_id,) = join(shop, PAT)
    settled(shop)
    shop.box.cc.unsubscribe(PAT)
    return account_id


TROUBLES = {
    "429": ("status", {"status": 429, "headers": {"Retry-After": "600"}}),
    "500": ("status", {"status": 500}),
    "503": ("status", {"status": 503, "headers": {"Retry-After": "120"}}),
    "401": ("status", {"status": 401}),
    "reset": ("reset-before", {}),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_what_changed_while_a_put_waited_is_not_written_over(shop: Shop, name: str) -> None:
    """The customer renames herself while Kibo does not take the PUT: the second one carries her new name."""
    account_id = unsubscribed(shop)
    kind, settings = TROUBLES[name]
    shop.box.faults.before(
        lambda: shop.box.kibo.update_account(account_id, lastName="Renamed"), method="PUT", path=ACCOUNT, nth=1
    )
    shop.box.faults.add(kind, method="PUT", path=ACCOUNT, **settings)  # type: ignore[arg-type]
    run = shop.poll()
    assert (run.status, run.counts["unsubscribed"]) == ("COMPLETE", 1)
    account = shop.box.kibo.account(account_id)
    assert (account["lastName"], account["acceptsMarketing"]) == ("Renamed", False)
    assert len(puts(shop)) == 2


@pytest.mark.parametrize("kind", ["reset-after", "truncated"])
def test_a_put_whose_answer_was_lost_is_not_sent_again(shop: Shop, kind: str) -> None:
    """The account is read instead, and shows that it was written: one PUT, told once."""
    account_id = unsubscribed(shop)
    shop.box.faults.add(kind, method="PUT", path=ACCOUNT)
    run = shop.poll()
    assert (run.status, run.counts["unsubscribed"], accepts(shop, account_id)) == ("COMPLETE", 1, False)
    assert len(puts(shop)) == 1
    assert all(one.done_at for one in told(shop, PAT))


def test_an_account_judged_again_may_need_no_write(shop: Shop) -> None:
    """Staff delete the account while the PUT waits: it is not brought back, and the poll ends well."""
    account_id = unsubscribed(shop)
    shop.box.faults.before(lambda: shop.box.kibo.delete_account(account_id), method="PUT", path=ACCOUNT, nth=1)
    shop.box.faults.add("status", status=503, method="PUT", path=ACCOUNT)
    assert shop.poll().status == "COMPLETE"
    assert account_id not in shop.box.kibo.account_ids()
    assert len(puts(shop)) == 1


@pytest.mark.undescribed
def test_numbers_of_an_account_go_back_as_they_came(shop: Shop) -> None:
    """A long decimal and a 1.0 in an attribute are in the PUT as they were in the answer, to the digit."""
    account_id = unsubscribed(shop)
    numbers = '{"values":[0.123456789012345678901234567890,1.0,98765432109876543210987]}'
    account = json.dumps(shop.box.kibo.account(account_id))
    text = account[:-1] + f',"customFigures":{numbers}}}'
    shop.box.faults.add("wrong-body", method="GET", path=f"{ACCOUNT}{account_id}$", body=text, nth=None)
    assert shop.poll().counts["unsubscribed"] == 1
    (put,) = [one for one in shop.box.requests.records if one.method == "PUT"]
    assert f'"customFigures":{numbers}' in bytes(put.body).decode()
    assert accepts(shop, account_id) is False


def test_half_a_character_in_an_account_survives(shop: Shop) -> None:
    """A lone surrogate, which JSON may hold and UTF-8 may not, goes back as it came."""
    account_id = unsubscribed(shop)
    shop.box.kibo.update_account(account_id, lastName="D\ud83d")
    shop.poll()
    assert (accepts(shop, account_id), shop.box.kibo.account(account_id)["lastName"]) == (False, "D\ud83d")
