"""What the tests of the state share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ccsync.state import Store, create_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new state file."""
    made = create_store(tmp_path / "ccsync.db")
    yield made
    made.close()
