"""Kibo's own client for TypeScript, unmodified, works with the sandbox as with the vendor."""

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings
from tests.doubles import FakeClock
from tests.sdk import programs
from tests.sdk.programs import Outcome

DRIVEN = programs.driven("kibo")


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """One run of the client, on an account that has everything."""
    programs.require("node", programs.NODE_MODULES)
    with Sandbox(SandboxSettings(customers=30), clock=FakeClock().now) as box:
        everybody = (box.kibo.account(one) for one in box.kibo.account_ids())
        account = next(one for one in everybody if one["contacts"] and one["acceptsMarketing"])
        given = {
            "home": box.urls.kibo_home.removeprefix("http://"),
            "tenantId": box.settings.tenant_id,
            "clientId": box.settings.kibo_client_id,
            "sharedSecret": box.settings.kibo_client_secret,
            "accountId": account["id"],
            "address": account["emailAddress"],
        }
        found = programs.run("node", programs.PROGRAMS["kibo"], programs.NODE_MODULES, given=given)
        assert box.kibo.account(int(str(account["id"])))["acceptsMarketing"] is False
        return found


@pytest.mark.parametrize("operation", DRIVEN)
def test_the_client_works(operation: str, outcomes: dict[str, Outcome]) -> None:
    """Every call of the client is understood, and what comes back is what it looks for."""
    assert outcomes[operation].value not in ("", "undefined"), outcomes[operation].failure
