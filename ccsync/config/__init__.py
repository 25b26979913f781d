"""The config file: finding it, reading it with all problems at once, and changing it without losing comments."""

from ccsync.config.editing import Change, check_edit, edit_config
from ccsync.config.reading import find_config, line_of, load_config
from ccsync.config.schema import Config
from ccsync.config.secrets import constant_contact_secret, kibo_secret

__all__ = [
    "Change",
    "Config",
    "check_edit",
    "constant_contact_secret",
    "edit_config",
    "find_config",
    "kibo_secret",
    "line_of",
    "load_config",
]
