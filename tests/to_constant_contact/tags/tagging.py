"""What the tests of tags share: customers in segments, and the tags that their contacts have."""

from pathlib import Path

from ccsync.state import people, person_tags
from ccsync.state.outbox import tag_tasks
from tests.harness import Shop
from tests.jobs.polling import small_shop

TAGS = '\n[tags]\nVIP = "VIP customers"\nNORTH = "The north"\n'


def tag_shop(folder: Path, config: str = TAGS, **settings: object) -> Shop:
    """A shop that maps two segments to tags."""
    return small_shop(folder, config, **settings)


def in_segments(*codes: str) -> list[dict[str, object]]:
    """Segments as Kibo shows them on an account."""
    return [{"id": number, "code": code, "name": code.title()} for number, code in enumerate(codes, start=1)]


def tags_of(shop: Shop, address: str) -> set[str]:
    """The names of the tags that a contact has at Constant Contact."""
    return shop.box.cc.tags_of(address)


def waiting(shop: Shop) -> int:
    """How many tagging tasks are in the outbox."""
    store = shop.open()
    found = tag_tasks.count(store)
    store.close()
    return found


def known_tags(shop: Shop, address: str) -> list[tuple[str, bool, bool]]:
    """What ccsync knows of a person's tags: name, wanted, set."""
    store = shop.open()
    found = person_tags.of_person(store, people.person_key(store)(address))
    store.close()
    return found
