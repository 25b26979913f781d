"""Walk through login, configure, export and both cron jobs as an operator would, on a store of 60 customers."""

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.serve import environ_for, write_config
from ccsync.sandbox.settings import SandboxSettings

LIST = "Web shop customers"
PERSON = "robin@example.com"
TAGS = '\n[tags]\nVIP = "VIP customers"\n'
TEXT = "Dear customers,\n\nour winter hours begin on Monday: https://www.example.com/hours\n\nThe web shop\n"
REPORT = Path(tempfile.gettempdir()) / "ccsync-demo-report.html"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the options of `demo`."""
    parser.add_argument("--customers", type=int, default=60, metavar="N", help="size of the store (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which people (1)")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 when every command ended as expected."""
    settings = SandboxSettings(
        customers=arguments.customers, seed=arguments.seed, device_interval_seconds=1, import_seconds=2.0
    )
    with tempfile.TemporaryDirectory() as folder, Sandbox(settings) as box:
        write_config(Path(folder), box.config_text(kibo_requests_per_second=50) + TAGS)
        _say(f"A store of {settings.customers} customers and a contact account, both simulated.")
        is_good = _first_export(box, folder) and _changes(box, folder) and _full_circle(box, folder)
        is_good = is_good and _marketing(box, folder)
    _say("Done." if is_good else "A command did not end as expected; see above.")
    return 0 if is_good else 1


def _first_export(box: Sandbox, folder: str) -> bool:
    _say("Log in. The owner would open the address and approve; the sandbox does so at once.")
    box.cc.approve_automatically = True
    if not _ccsync(folder, "login --yes --campaigns"):
        return False
    _say("Choose the contact list; it is new, so it is created.")
    if not _ccsync(folder, f'configure --list "{LIST}" --create-list --from-email info@example.com'):
        return False
    _say("See what an export would do, and what it would cost. Nothing is changed.")
    if not _ccsync(folder, "export --dry-run"):
        return False
    _say("Export. Some addresses of this store are broken on purpose: they are reported, and it exits 3.")
    if not _ccsync(folder, "-v export --yes", 0, 3):
        return False
    _say("Which records were those, and what can be done?")
    return _ccsync(folder, "logs 1 --errors")


def _changes(box: Sandbox, folder: str) -> bool:
    """What cron does every 30 minutes: changes in the store, and an unsubscribe at Constant Contact."""
    members = _members(box)
    if len(members) > 1:
        _say(f"In the store {members[0]} changes her name; {members[1]} unsubscribes at Constant Contact. Cron's jobs:")
        for account_id in box.kibo.find_by_email(members[0]):
            box.kibo.update_account(account_id, lastName="Newname")
        box.cc.unsubscribe(members[1])
    if not (_ccsync(folder, "-v flush-events", 0, 3) and _ccsync(folder, "-v poll-unsubscribes")):
        return False
    _show_members(box)
    return True


def _full_circle(box: Sandbox, folder: str) -> bool:
    """One person opts in in the store, joins the list, unsubscribes there, and is opted out in the store."""
    _say(f"One person all the way round. {PERSON} signs up in the store and opts in:")
    account_id = box.kibo.add_account(emailAddress=PERSON, firstName="Robin", acceptsMarketing=True)
    if not (_ccsync(folder, "events --refresh") and _ccsync(folder, "-v flush-events", 0, 3)):
        return False
    is_there = PERSON in _members(box)
    _say(f"On the list: {'yes' if is_there else 'no'}. Now Robin unsubscribes, by the link in a mail:")
    box.cc.unsubscribe(PERSON)
    if not _ccsync(folder, "-v poll-unsubscribes"):
        return False
    accepts = box.kibo.account(account_id)["acceptsMarketing"]
    _say(f"On the list: {'yes' if PERSON in _members(box) else 'no'}. acceptsMarketing in the store: {accepts}.")
    looks = ("logs", f"why {PERSON}", f"consent {PERSON}", "status")
    is_good = all(_ccsync(folder, words) for words in looks)
    return is_good and is_there and accepts is False and not box.cc.forbidden_calls


def _marketing(box: Sandbox, folder: str) -> bool:
    """What marketing sees: tags, a draft, and a page about the list."""
    tagged = [one for one in _members(box) if box.cc.tags_of(one)]
    _say(f"For the marketing people. The segment VIP is a tag in Constant Contact; {len(tagged)} members have it:")
    for address in tagged[:5]:
        print(f"  {address:<62} {', '.join(sorted(box.cc.tags_of(address)))}"[:100])
    _say("A draft campaign to the list. Only a person can send it, in Constant Contact:")
    (Path(folder) / "news.txt").write_text(TEXT)
    if not _ccsync(folder, 'campaign "Winter hours" --subject "Our winter hours" --text news.txt'):
        return False
    _say("And a page about the list, for people who do not use a terminal:")
    has_template_engine = find_spec("jinja2") is not None
    if not _ccsync(folder, f"report --output {shlex.quote(str(REPORT))}", 0 if has_template_engine else 2):
        return False
    if has_template_engine:
        _say(f"Open {REPORT} in a browser.")
    return bool(tagged) and len(box.cc.emails.campaigns) == 1


def _ccsync(folder: str, words: str, *expected: int) -> bool:
    """Run one real command, as the operator would type it; did it end with 0, or as `expected`?"""
    print(f"\n$ ccsync {words}", flush=True)
    environ = environ_for(Path(folder)) | {"COLUMNS": str(shutil.get_terminal_size((110, 24)).columns)}
    command = [sys.executable, "-m", "ccsync", *shlex.split(words)]
    done = subprocess.run(command, cwd=folder, env=environ, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(f"(exit {done.returncode})", flush=True)
    return done.returncode in (expected or (0,))


def _members(box: Sandbox) -> list[str]:
    return sorted(box.cc.members(LIST), key=str.lower)


def _show_members(box: Sandbox) -> None:
    members = _members(box)
    _say(f'On the list "{LIST}" at Constant Contact are {len(members)} people:')
    for address in members:
        contact = box.cc.contact(address) or {}
        print(f"  {address:<62} {contact.get('first_name') or ''} {contact.get('last_name') or ''}"[:100])


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)
