"""`requests`, imported at its first use: it takes a third of the time in which a TAB or a `--help` should answer."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any


class _Late:
    """Stands for the module until something of it is needed."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("requests"), name)


if TYPE_CHECKING:
    import requests as requests
else:
    requests = _Late()
