"""The config file: found, read with all its problems told at once, and changed without losing comments."""

from ccsync.config.editing import Change, check_edit, edit_config
from ccsync.config.reading import find_config, line_of, load_config
from ccsync.config.schema import DEFAULT_MAPPING, MAPPING, SCHEMA
from ccsync.config.secrets import constant_contact_secret, kibo_secret
from ccsync.config.settings import (
    Config,
    ConstantContactSettings,
    KiboSettings,
    LimitSettings,
    StateSettings,
    SyncSettings,
)

__all__ = [
    "DEFAULT_MAPPING",
    "MAPPING",
    "SCHEMA",
    "Change",
    "Config",
    "ConstantContactSettings",
    "KiboSettings",
    "LimitSettings",
    "StateSettings",
    "SyncSettings",
    "check_edit",
    "constant_contact_secret",
    "edit_config",
    "find_config",
    "kibo_secret",
    "line_of",
    "load_config",
]
