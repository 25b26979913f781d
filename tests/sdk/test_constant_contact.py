"""Constant Contact's own client for Python, unmodified, works with the sandbox as with the vendor."""

import re

import pytest

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.constant_contact.routes import draw_routes
from ccsync.sandbox.settings import SandboxSettings
from tests.exchanges.watch import UNKNOWN_TO_THE_CLIENTS
from tests.sandbox.constant_contact.world import World
from tests.sdk import programs
from tests.sdk.programs import Outcome

DRIVEN = programs.driven("cc")
ERRATA = {
    # The description has maxItems: 0 for contact_ids, and the client refuses to send any.
    "POST /activities/remove_list_memberships": "List should have at most 0 items",
}
"""What the client cannot do through a fault of the description it is made from, and what it says then."""
SCOPES = "account_read contact_data campaign_data offline_access"


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """One run of the client."""
    programs.require(programs.PYTHON)
    settings = SandboxSettings(cc_requests_per_second=0, import_seconds=0, export_seconds=0, membership_seconds=0)
    with Sandbox(settings) as box:
        given = {
            "host": box.urls.cc_api,
            "token": box.cc.sign_in(SCOPES)["access_token"],
            "list_id": box.cc.list_id("Newsletter"),
            "address": box.cc.members("Newsletter")[0],
        }
        return programs.run(programs.PYTHON, programs.PROGRAMS["cc"], given=given)


@pytest.mark.parametrize("operation", DRIVEN)
def test_the_client_works(operation: str, outcomes: dict[str, Outcome]) -> None:
    """Every call of the client is understood, and what comes back fits its models; an erratum still is one."""
    outcome = outcomes[operation]
    if expected := ERRATA.get(operation):
        assert expected in outcome.failure
    else:
        assert outcome.value, outcome.failure


def test_every_operation_of_the_sandbox_is_driven() -> None:
    """What the sandbox simulates, the client calls."""
    simulated = {(one.method, one.path.pattern) for one in draw_routes(World().cc)}
    called = {(name.split()[0], _pattern(name.split()[1])) for name in {*DRIVEN, *UNKNOWN_TO_THE_CLIENTS}}
    assert called == simulated


def _pattern(template: str) -> str:
    return "/v3" + re.sub(r"\{[^}]+\}", "([^/]+)", template)
