"""A state file belongs to one Kibo tenant and one Constant Contact account. Data of another would do harm.

Both are written at the first login; a file of version 0.2 knows only the account and the tenant's host.
"""

import shlex
from collections.abc import Callable

from ccsync.config.schema import Config
from ccsync.errors import ConfigError
from ccsync.models import AccountSummary
from ccsync.state import Store, properties

TENANT = "tenant_id"
ACCOUNT = "encoded_account_id"
ORGANIZATION = "organization_name"


def check_tenant(config: Config, store: Store) -> None:
    """Raise `ConfigError` when the state file belongs to another tenant than the config names."""
    known = properties.get(store, TENANT)
    if known is not None and known != str(config.kibo.tenant_id):
        raise _of_another(config, f"Kibo tenant {known}", f"Kibo tenant {config.kibo.tenant_id}")


def prove_tenant(config: Config, store: Store, find_url: Callable[[], str]) -> None:
    """Write the tenant into a state file that does not name one, if what it knows of the tenant is right.

    `find_url` asks Kibo for the URL of the tenant of the config; it is called where there is something to compare.
    Raises `ConfigError` when the file knows another.
    """
    if properties.get(store, TENANT) is not None:
        return
    known = properties.get(store, properties.TENANT_URL)
    if known is not None and known.lower() != (found := find_url()).lower():
        raise _of_another(config, f"the Kibo tenant at {known}", f"tenant {config.kibo.tenant_id} at {found}")
    properties.put(store, TENANT, str(config.kibo.tenant_id))


def check_account(config: Config, store: Store, summary: AccountSummary) -> None:
    """Raise `ConfigError` when the state file belongs to another Constant Contact account than the login."""
    known = properties.get(store, ACCOUNT)
    if known is not None and known != summary.encoded_account_id:
        name = properties.get(store, ORGANIZATION) or known
        raise _of_another(config, f'the Constant Contact account "{name}"', f'"{summary.organization_name}"')


def _of_another(config: Config, owner: str, asked: str) -> ConfigError:
    path = config.state.path
    own = path.with_name(f"{config.path.stem}-{config.kibo.tenant_id}.db")
    return ConfigError(
        f"The state file {path} belongs to {owner}, and not to {asked}; nothing was done.",
        "what it remembers of opt-outs and of the list would be taken for the other's. Two configs in one folder"
        " share ccsync.db unless each has a path of its own.",
        f'In [state] of {shlex.quote(str(config.path))} set path = "{own.name}" (and no $CCSYNC_STATE), then:'
        " ccsync login",
    )
