"""One bug that would hurt people: a text of one module and what stands there instead."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class SeededBug:
    """`right` in `module` becomes `wrong`; `caught_by` are words for pytest."""

    name: str
    module: str
    right: str
    wrong: str
    caught_by: tuple[str, ...]

    def applies(self, folder: Path) -> bool:
        """Does its text stand in the module, once?"""
        return (folder / "ccsync" / self.module).read_text().count(self.right) == 1

    def seed(self, folder: Path) -> None:
        """Put it into a copy of the project."""
        path = folder / "ccsync" / self.module
        path.write_text(path.read_text().replace(self.right, self.wrong))
