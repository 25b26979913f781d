"""Looks at both vendors for `ccsync status --live`, without keeping a job that runs from its work.

Calls are counted and paced in the state file as every call is, in transactions of their own; the writers' lock is
taken only while the login is renewed.
"""

from contextlib import AbstractContextManager

from ccsync.cli.clock import now
from ccsync.cli.wiring import ACCOUNT, App, clients, protect_tokens
from ccsync.config import Config
from ccsync.constant_contact import ConstantContact
from ccsync.jobs.access import ConstantContactToken
from ccsync.jobs.looking import BriefToken, Seen, look
from ccsync.state import Lock, meta, open_store
from ccsync.state.times import to_text

MOST_SECONDS = 60
"""A vendor that asks for a longer wait is not waited for."""


def look_at_vendors(app: App, config: Config) -> Seen:
    """Ask both vendors; what one of them would not tell is a trouble in the answer."""

    def lock() -> AbstractContextManager[object]:
        return Lock(config.state.path, "status --live", to_text(now()))

    app.clock.limit(MOST_SECONDS)
    store = open_store(config.state.path)
    try:
        protect_tokens(store)
        tools = clients(config, store, app.clock)
        token = BriefToken(ConstantContactToken(store, tools.sign_in, now, tools.app), lock)
        transport = tools.constant_contact.transport
        contact = ConstantContact(transport, token, api_url=config.constant_contact.api_url)
        return look(tools.kibo, contact, config.sync.list_id, meta.get(store, ACCOUNT))
    finally:
        store.close()
