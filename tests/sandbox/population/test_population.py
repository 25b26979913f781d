"""The seeded people: the same for the same seed, all kinds among the first, nobody outside the sample domains."""

import pytest

from ccsync.sandbox.population.people import ODD_KINDS, Population

MILLION = 1_000_000


def test_the_same_seed_makes_the_same_people() -> None:
    """A row follows from seed and index alone; another seed makes others."""
    one, again, other = Population(500, 1), Population(500, 1), Population(500, 2)
    rows = [[(p.address(i), p.names(i), p.accepts_marketing(i)) for i in range(500)] for p in (one, again, other)]
    assert rows[0] == rows[1]
    assert rows[0] != rows[2]


def test_every_kind_is_among_the_first() -> None:
    """Even a store of 40 has one of each oddity."""
    people = Population(40, 1)
    assert {people.kind(i) for i in range(40)} == {"ordinary", *ODD_KINDS}


@pytest.mark.parametrize("size", [200, MILLION])
def test_everybody_lives_at_example(size: int) -> None:
    """No address could be a real person's."""
    people = Population(size, 5)
    for index in range(0, size, max(size // 2_000, 1)):
        address = (people.address(index) or "").lower().rstrip(".")
        assert address.endswith(("example.com", "example.org")) or not address


def test_later_ids_were_made_later() -> None:
    """The order of ids is the order of creation, for a million too."""
    people = Population(MILLION, 1)
    times = [people.created_at(index) for index in range(0, MILLION, 10_007)]
    assert times == sorted(set(times))


def test_some_were_known_before() -> None:
    """Constant Contact knows some of the customers: other sources, unsubscribed, deleted."""
    known = list(Population(2_000, 1).iter_contacts())
    assert {one.permission_to_send for one in known} >= {"unsubscribed", "implicit"}
    assert all("@example." in one.address.lower() for one in known)
