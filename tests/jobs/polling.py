"""What the tests of poll-unsubscribes share: a store with known people, and looks at both sides."""

from pathlib import Path

from ccsync.mapping.addresses import person_key_text
from ccsync.sandbox.settings import SandboxSettings
from ccsync.state import ledger, people, suppressions
from ccsync.state.outbox import write_backs
from ccsync.state.outbox.write_backs import WriteBack
from tests.harness import Shop

PAT, LEE, KIM, SAM = (f"{name}@example.com" for name in ("pat", "lee", "kim", "sam"))
DETAILS = {"externalId": "X-77", "taxId": "T-1", "companyOrOrganization": "Works Ltd", "localeCode": "de-DE"}


def small_shop(folder: Path, config: str = "", **settings: object) -> Shop:
    """A shop whose own people are few; the tests add theirs."""
    given: dict[str, object] = {"customers": 4, "seed": 5, **settings}
    return Shop(folder, SandboxSettings(**given), config)  # type: ignore[arg-type]


def join(shop: Shop, *addresses: str, **fields: object) -> list[int]:
    """Customers with these addresses who opt in; they are on the list after the export that follows."""
    given = {"firstName": "Pat", "lastName": "Doe", "acceptsMarketing": True, **DETAILS, **fields}
    return [shop.box.kibo.add_account(emailAddress=one, **given) for one in addresses]


def settled(shop: Shop) -> None:
    """Everybody is exported, and what was before is polled."""
    shop.export()
    shop.poll()
    shop.later(minutes=30)


def accepts(shop: Shop, account_id: int) -> object:
    return shop.box.kibo.account(account_id)["acceptsMarketing"]


def puts(shop: Shop) -> list[str]:
    return shop.requests("PUT", "/customer/accounts/")


def ledger_of(shop: Shop, address: str) -> list[tuple[str, str]]:
    """A person's rows of the consent ledger: what and by whom."""
    store = shop.open()
    person = people.person_key(store)(person_key_text(address))
    found = [(one.change, one.source) for one in ledger.of_person(store, person)]
    store.close()
    return found


def told(shop: Shop, address: str) -> list[WriteBack]:
    store = shop.open()
    found = write_backs.of_person(store, people.person_key(store)(person_key_text(address)))
    store.close()
    return found


def suppressed(shop: Shop, address: str) -> set[str]:
    store = shop.open()
    person = people.person_key(store)(person_key_text(address))
    found = {one.kind for one in suppressions.of_person(store, person)}
    store.close()
    return found
