"""The account's automations, some of which start when somebody joins a list.

GET /automations/workflows and AutomationCampaign of https://developer.constantcontact.com/api_reference/index.html.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ccsync.sandbox.constant_contact.errors import not_found
from ccsync.sandbox.constant_contact.validation import Parameter, read_query
from ccsync.sandbox.wire import Clock, Reply, Request

_LISTING = {
    "channel": Parameter(),
    "sort_direction": Parameter("text", frozenset({"ASC", "DESC"})),
    "created_from": Parameter("text", frozenset({"SCRATCH", "TEMPLATE"})),
    "goals": Parameter(),
    "name": Parameter(),
}


@dataclass(frozen=True, slots=True)
class Automation:
    """One automation; without lists, something else than joining a list starts it."""

    flow_id: str
    name: str
    state: str
    list_ids: tuple[str, ...]
    create_source: str | None
    created: str


class Automations:
    """All automations, oldest first. A listing's status is 209, as declared, or the usual 200."""

    def __init__(self, status: int, clock: Clock, new_id: Callable[[], str]) -> None:
        self._status = status
        self._clock = clock
        self._new_id = new_id
        self._all: list[Automation] = []
        self.mailed: list[tuple[str, str]] = []
        """The addresses that an import put on a list, each with the automation that mailed it."""

    def add(
        self, name: str, list_ids: tuple[str, ...] = (), *, state: str = "ACTIVE", create_source: str | None = None
    ) -> str:
        """Add an automation; its id."""
        created = self._clock().isoformat(timespec="milliseconds")
        made = Automation(self._new_id(), name, state, tuple(list_ids), create_source, created)
        self._all.append(made)
        return made.flow_id

    def start(self, list_ids: Iterable[str], addresses: Iterable[str]) -> None:
        """Start the active automations of these lists for addresses that an import has put there."""
        begun = [one.name for one in self._all if one.state == "ACTIVE" and set(one.list_ids) & set(list_ids)]
        self.mailed += [(address, name) for address in addresses for name in begun]

    def clear(self) -> None:
        """Delete every automation."""
        self._all.clear()

    def get_workflows(self, request: Request) -> Reply:
        """GET /automations/workflows: newest first, no paging."""
        query = read_query(request.query, _LISTING)
        name = query.text("name")
        found = [one for one in self._all if name in (None, one.name)]
        if query.text("sort_direction") != "ASC":
            found.reverse()
        if query.text("created_from") == "TEMPLATE" or query.text("goals") or query.text("channel") == "sms":
            found = []  # every automation here is made from scratch, sends e-mail and has no goal
        return Reply.json(self._status, {"flow_summaries": [_summary(one) for one in found]})

    def get_workflow(self, request: Request, flow_id: str) -> Reply:
        """GET /automations/workflows/{automation_flow_id}."""
        read_query(request.query, {})
        found = next((one for one in self._all if one.flow_id == flow_id.lower()), None)
        if found is None:
            raise not_found(f"Workflow {flow_id} was not found.")
        return Reply.json(200, _whole(found))


def _summary(one: Automation) -> dict[str, object]:
    return {
        "id": one.flow_id,
        "name": one.name,
        "description": "",
        "status": one.state,
        "active_state": one.state,
        "draft_state": "PROMOTED",
        "created_by_id": "123456789",
        "created_date": one.created,
        "update_date": one.created,
        "structured_tags": [],
    }


def _whole(one: Automation) -> dict[str, object]:
    parameters: list[dict[str, object]] = []
    if one.list_ids:
        parameters.append(_parameter("list_ids", "LIST", list(one.list_ids)))
    if one.create_source is not None:
        parameters.append(_parameter("create_source", "STRING", one.create_source))
    action = "list_join" if one.list_ids else "calendar_date"
    trigger: dict[str, object] = {"action_name": action, "type": "Action", "parameters": parameters}
    if one.list_ids:
        trigger["unique_by"] = "list_ids"
    definition = {
        "state": one.state,
        "trigger": {"trigger_def": trigger, "trigger_version": "1.0.0"},
        "workflow": {"workflow_def": {"tasks": [], "status": "SCHEDULED", "metadata": {}}},
    }
    return {
        "id": one.flow_id,
        "name": one.name,
        "description": "",
        "status": one.state,
        "structured_tags": [],
        "active_definition": definition,
        "name_explicitly_set": True,
    }


def _parameter(name: str, kind: str, value: object) -> dict[str, object]:
    return {"operator": "EQUALS", "parameter_name": name, "type": kind, "parameter_value": value}
