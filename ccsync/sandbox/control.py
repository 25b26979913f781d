"""An endpoint that no vendor has: actions of people and staff, scripted faults, and a look inside.

GET  /state                                   counts
GET  /members?list=NAME                       addresses on a list
GET  /requests                                the newest 1,000 calls, without bodies
POST /faults   {"kind": …, "nth": 1, …}       script a fault (see faults.Faults.add)
DELETE /faults                                forget them
POST /clock    {"seconds": 3600}              set the clock ahead
POST /clock/vendor {"vendor": "cc", "seconds": 600}            how far one vendor's clock is ahead of the sandbox's
POST /clock/date   {"vendor": "cc", "seconds": 600, "answers": 1 or null}   wrong Date headers, and nothing else
GET  /acts                                    who did what
POST /kibo/refuse | cc/refuse   {"operation": "put", "status": 409, "record": 1001, "seconds": null, "every": 1}
POST /kibo/total    {"off": 1}                how many accounts more totalCount says than there are
POST /kibo/page | cc/page | cc/file   {"how": "short" or "repeat", "nth": 1, "times": 1}
POST /cc/job        {"kind": "import", "seconds": null, "state": "completed", "takes_effect": false, "times": 1}
POST /cc/plan       {"limit": 500}            contacts that the plan allows
POST /kibo/relent | cc/relent {}              all is well again
POST /store/opt-in | opt-out | delete         {"address": …}
POST /store/change  {"address": …, "fields": {…}}
POST /store/add     {"fields": {…}}
POST /store/redact  {"account_id": 1001, "placeholder": "", "accepts": true, false or null}
GET  /events                                  Kibo's events, as a pull would show them
POST /events/add    {"topic": …, "entity_id": …, "fields": {…}}   one that no change made
POST /events/repeat {"id": …}                 once more, under the same id
POST /events/forget {}                        the store keeps none any longer
POST /events/lag    {"seconds": 60}           events made from now on are visible later
POST /contacts/unsubscribe | resubscribe | delete   {"address": …}
POST /contacts/rename       {"address": …, "new_address": …}
POST /contacts/confirm      {"address": …}   what Confirmed Opt-in waits for
POST /contacts/leave-list | join-list   {"address": …, "list": NAME, "source": "Contact" or "Account"}
POST /contacts/sms-only     {"number": "2025550199", "lists": [NAME, …]}   somebody without an address
POST /lists/add             {"name": NAME}
POST /lists/rename          {"list": NAME, "name": NEW}
POST /lists/delete          {"list": NAME}
POST /tags/add              {"name": NAME}
POST /automations/add       {"name": NAME, "lists": [NAME, …], "state": "ACTIVE", "create_source": "Contact" or null}
POST /fields/add            {"label": LABEL, "type": "string"}   a custom field
POST /account/address       {"address": …, "confirmed": true}   one of the account's own
POST /account/privileges    {"lacks": ["contacts:lists:write", …]}   of the user who logged in
POST /devices/approve | deny   {"user_code": … or null}
POST /devices/automatic        {"approve": true}
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ccsync.sandbox.acts import Acts
from ccsync.sandbox.clocks import VendorClock
from ccsync.sandbox.constant_contact.service import ConstantContact
from ccsync.sandbox.faults import Faults
from ccsync.sandbox.kibo.tenant import ACCOUNT_FIELDS, Kibo
from ccsync.sandbox.server import RequestLog
from ccsync.sandbox.wire import Reply, Request

Body = dict[str, Any]
_LOOKS = ("/state", "/members", "/requests", "/events", "/acts")


class Control:
    """Answers the control port."""

    def __init__(
        self,
        kibo: Kibo,
        cc: ConstantContact,
        faults: Faults,
        log: RequestLog,
        advance: Callable[[float], None],
        clocks: Mapping[str, VendorClock],
        acts: Acts,
    ) -> None:
        self._kibo = kibo
        self._cc = cc
        self._faults = faults
        self._log = log
        self._acts = acts
        self._actions: dict[str, Callable[[Body], object]] = {
            "/faults": lambda body: self._faults.add(**body) and None,
            "/clock": lambda body: advance(float(body["seconds"])),
            "/store/opt-in": lambda body: self._change(body["address"], {"acceptsMarketing": True}),
            "/store/opt-out": lambda body: self._change(body["address"], {"acceptsMarketing": False}),
            "/store/change": lambda body: self._change(body["address"], body["fields"]),
            "/store/delete": lambda body: self._delete(body["address"]),
            "/store/add": lambda body: kibo.add_account(**_declared(body["fields"])),
            "/store/redact": lambda body: kibo.redact_account(
                int(body["account_id"]), body.get("placeholder", ""), accepts=body.get("accepts")
            ),
            "/events/add": lambda body: kibo.add_event(body["topic"], body["entity_id"], **body.get("fields", {})),
            "/events/repeat": lambda body: kibo.repeat_event(body["id"]),
            "/events/forget": lambda _: kibo.events.forget(),
            "/events/lag": lambda body: setattr(kibo.events, "lag_seconds", float(body["seconds"])),
            "/contacts/unsubscribe": lambda body: cc.unsubscribe(body["address"], body.get("source", "Contact")),
            "/contacts/resubscribe": lambda body: cc.resubscribe(body["address"]),
            "/contacts/delete": lambda body: cc.delete_contact(body["address"], for_good=body.get("for_good", False)),
            "/contacts/rename": lambda body: cc.rename(body["address"], body["new_address"]),
            "/contacts/confirm": lambda body: cc.confirm(body["address"]),
            "/contacts/leave-list": lambda body: cc.leave_list(
                body["address"], body["list"], body.get("source", "Contact")
            ),
            "/contacts/join-list": lambda body: cc.join_list(
                body["address"], body["list"], body.get("source", "Contact")
            ),
            "/contacts/sms-only": lambda body: cc.add_sms_contact(body["number"], *body.get("lists", [])),
            "/lists/add": lambda body: cc.add_list(body["name"]),
            "/lists/rename": lambda body: cc.rename_list(body["list"], body["name"]),
            "/lists/delete": lambda body: cc.delete_list(body["list"]),
            "/tags/add": lambda body: cc.tags.add(body["name"]).tag_id,
            "/automations/add": lambda body: cc.automations.add(
                body["name"],
                tuple(cc.list_id(one) for one in body.get("lists", [])),
                state=body.get("state", "ACTIVE"),
                create_source=body.get("create_source"),
            ),
            "/fields/add": lambda body: cc.custom_fields.add(body["label"], body.get("type", "string")).name,
            "/account/address": lambda body: cc.account.set_confirmed(body["address"], body.get("confirmed", True)),
            "/account/privileges": lambda body: cc.account.lack(body["lacks"]),
            "/devices/approve": lambda body: cc.approve_device(body.get("user_code")),
            "/devices/deny": lambda body: cc.deny_device(body.get("user_code")),
            "/devices/automatic": self._approve_automatically,
        }
        self._actions |= _troubles(kibo, cc, clocks)

    def handle(self, request: Request) -> Reply:
        """Answer one request. A bad one gets a 400 with the reason."""
        try:
            if request.method == "GET" and request.path in _LOOKS:
                return Reply.json(200, self._look(request))
            if request.method == "DELETE" and request.path == "/faults":
                self._faults.clear()
                return Reply.json(200, {})
            action = self._actions.get(request.path)
            if request.method != "POST" or action is None:
                return Reply.json(404, {"error": f"no {request.method} {request.path} here"})
            body = json.loads(request.body or b"{}")
            if not isinstance(body, dict):
                raise TypeError("the body is not an object")
            return Reply.json(200, {"result": action(body)})
        except KeyError as error:
            return Reply.json(400, {"error": f"missing or unknown: {error}"})
        except (LookupError, TypeError, ValueError) as error:
            return Reply.json(400, {"error": f"{type(error).__name__}: {error}"})

    def _look(self, request: Request) -> object:
        query = dict(request.query)
        if request.path == "/state":
            return {
                "customers": len(self._kibo.account_ids()),
                "opted_in": self._kibo.opted_in_count(),
                "contacts": self._cc.contact_count(),
                "requests": dict(self._log.calls),
                "bytes": dict(self._log.bytes),
                "forbidden_calls": self._cc.forbidden_calls,
                "welcomed": self._cc.welcomed,
            }
        if request.path == "/events":
            return self._kibo.events.all()
        if request.path == "/acts":
            return [asdict(one) | {"at": one.at.isoformat(), "says": one.says} for one in self._acts]
        if request.path == "/members":
            return self._cc.members(query["list"])
        return [
            {"number": one.number, "vendor": one.vendor, "method": one.method, "path": one.path, "status": one.status}
            for one in list(self._log.records)[-1_000:]
        ]

    def _found(self, address: str) -> list[int]:
        found = self._kibo.find_by_email(address)
        if not found:
            raise LookupError("no account has this address")
        return found

    def _change(self, address: str, fields: Body) -> int:
        found = self._found(address)
        for account_id in found:
            self._kibo.update_account(account_id, **_declared(fields))
        return len(found)

    def _delete(self, address: str) -> int:
        found = self._found(address)
        for account_id in found:
            self._kibo.delete_account(account_id)
        return len(found)

    def _approve_automatically(self, body: Body) -> None:
        self._cc.approve_automatically = bool(body.get("approve", True))


def _declared(fields: Body) -> Body:
    """The fields of an account. Any value is allowed, because stores hold odd ones."""
    if unknown := fields.keys() - ACCOUNT_FIELDS:
        raise ValueError(f"an account has no {min(unknown)}")
    return fields


def _troubles(
    kibo: Kibo, cc: ConstantContact, clocks: Mapping[str, VendorClock]
) -> dict[str, Callable[[Body], object]]:
    """Trouble at a vendor, as a test asks for it."""
    return {
        "/clock/vendor": lambda body: clocks[body["vendor"]].set_ahead(float(body["seconds"])),
        "/clock/date": lambda body: clocks[body["vendor"]].set_date_ahead(
            float(body["seconds"]), body.get("answers", 1)
        ),
        "/kibo/refuse": lambda body: kibo.refuse(**body),
        "/kibo/relent": lambda body: kibo.relent(body.get("operation")),
        "/kibo/total": lambda body: setattr(kibo, "total_off", int(body["off"])),
        "/kibo/page": lambda body: kibo.page_faults.add(**body),
        "/cc/refuse": lambda body: cc.refuse(**body),
        "/cc/relent": lambda body: cc.relent(body.get("operation")),
        "/cc/page": lambda body: cc.page_faults.add(**body),
        "/cc/file": lambda body: cc.file_faults.add(**body),
        "/cc/job": lambda body: cc.jobs.add(**body),
        "/cc/plan": lambda body: setattr(cc.plan, "limit", int(body["limit"])),
    }
