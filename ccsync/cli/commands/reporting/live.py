"""Asks both vendors for `ccsync status --live` without disturbing a running job.

Calls are counted and paced in the state file as every call is, in transactions of their own; the writers' lock is
taken only while the login is renewed.
"""

from ccsync.cli.command_line import App
from ccsync.cli.owner import ACCOUNT
from ccsync.cli.wiring import clients
from ccsync.config import Config
from ccsync.reports.live import Seen, look
from ccsync.state import properties

MOST_SECONDS = 60
"""If a vendor asks for a longer wait, give up."""


def look_at_vendors(app: App, config: Config) -> Seen:
    """Ask both vendors. A failed call becomes a problem in the result."""
    app.clock.limit(MOST_SECONDS)
    with app.checking(config) as store:
        tools = clients(config, store, app.clock, renewing=lambda: app.lock(config, "status --live"))
        return look(tools.kibo, tools.constant_contact, config.sync.list_id, properties.get(store, ACCOUNT))
