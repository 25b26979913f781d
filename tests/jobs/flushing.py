"""What the tests of flush-events do to a store."""

from collections.abc import Mapping
from pathlib import Path

from ccsync.sandbox.settings import SandboxSettings
from ccsync.state.outbox import tasks
from tests.harness import Shop

PAT, SAM, KIM = (f"{name}@example.com" for name in ("pat", "sam", "kim"))


def new_shop(folder: Path, config_changes: str = "", **settings: object) -> Shop:
    """A store without customers."""
    return Shop(folder, SandboxSettings(customers=0, **settings), config_changes)  # type: ignore[arg-type]


def stock(shop: Shop) -> None:
    """Pat and Sam opted in and were exported, Kim did not; their events were dealt with."""
    for address, opts_in in ((PAT, True), (SAM, True), (KIM, False)):
        add(shop, address, acceptsMarketing=opts_in)
    shop.export()
    shop.flush()
    shop.later(minutes=30)


def add(shop: Shop, address: str, **fields: object) -> int:
    """A new customer signs up."""
    return shop.box.kibo.add_account(
        **{"emailAddress": address, "firstName": "Pat", "acceptsMarketing": True, **fields}
    )


def change(shop: Shop, address: str, **fields: object) -> None:
    """Every account of the address is changed."""
    for account_id in shop.box.kibo.find_by_email(address):
        shop.box.kibo.update_account(account_id, **fields)


def delete(shop: Shop, address: str) -> None:
    """Every account of the address is deleted."""
    for account_id in shop.box.kibo.find_by_email(address):
        shop.box.kibo.delete_account(account_id)


def statuses(shop: Shop) -> Mapping[str, int]:
    """How many accounts wait, by status."""
    store = shop.open()
    found = tasks.count_by_status(store, tasks.READ)
    store.close()
    return found


def cannot_be_read(shop: Shop, account_id: int | None = None) -> None:
    """Kibo answers with something that is no JSON: for one account, or for all."""
    path = "/api/commerce/customer/accounts" + (f"/{account_id}" if account_id else "")
    shop.box.faults.add("wrong-body", path=path, nth=None, body="{")
