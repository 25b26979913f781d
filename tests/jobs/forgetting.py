"""Forgetting a person on a shop inside the process, and looking for what is left of them."""

from ccsync.jobs import forget as job
from ccsync.jobs.forget import Receipt
from ccsync.mapping.addresses import person_key_text
from ccsync.run.job_names import FORGET
from ccsync.run.life_cycle import carry_out
from ccsync.state import people, suppressions
from tests.harness import Shop


def forget(shop: Shop, address: str) -> Receipt | None:
    """What the command does after the yes; `None` for an address that ccsync does not know."""
    store = shop.open()
    tools = shop._clients(store)
    context = shop._context(store, tools)
    try:
        if not job.find(context, address).is_known:
            return None
        return carry_out(context, FORGET, lambda: job.run(context, address))
    finally:
        shop._close(store, tools)


def traces(shop: Shop, *addresses: str) -> list[str]:
    """The files beside the state file in which an address stands, in any case of letters."""
    found = []
    for path in sorted(shop.folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes().lower()
            found += [path.name for one in addresses if one.lower().encode() in content]
    return found


def rows_about(shop: Shop, address: str) -> dict[str, int]:
    """How many rows each table has of the person, by the hash of the address."""
    store = shop.open()
    person = people.person_key(store)(person_key_text(address))
    found = {}
    for (table,) in store.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        columns = [str(row[1]) for row in store.rows(f"PRAGMA table_info({table})")]
        if "person" in columns:
            count = store.number(f"SELECT count(*) FROM {table} WHERE person = ?", person)
            found |= {str(table): count} if count else {}
    store.close()
    return found


def suppressions_of(shop: Shop, address: str) -> list[str]:
    """The kinds of suppression that hold for an address."""
    store = shop.open()
    found = suppressions.of_person(store, people.person_key(store)(person_key_text(address)))
    store.close()
    return sorted(one.kind for one in found)
