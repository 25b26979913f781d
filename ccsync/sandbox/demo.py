"""Walk through login, configure, export and logs as an operator would, on a store of 60 customers."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.serve import write_config
from ccsync.sandbox.settings import SandboxSettings

LIST = "Web shop customers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `demo` can be told."""
    parser.add_argument("--customers", type=int, default=60, metavar="N", help="size of the store (60)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which people (1)")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; 0 when every command ended as expected."""
    settings = SandboxSettings(
        customers=arguments.customers, seed=arguments.seed, device_interval_seconds=1, import_seconds=2.0
    )
    with tempfile.TemporaryDirectory() as folder, Sandbox(settings) as box:
        # Somebody opens the printed address and approves; here at once.
        box.cc.approve_automatically = True
        write_config(Path(folder), box.config_text(kibo_requests_per_second=50))
        is_good = all(
            [
                _ccsync(folder, "login --yes", 0),
                _ccsync(folder, f'configure --list "{LIST}" --create-list --from-email info@example.com', 0),
                _ccsync(folder, "export --dry-run", 0),
                _ccsync(folder, "-v export --yes", 3),
                _ccsync(folder, "logs 1 --errors", 0),
            ]
        )
        _say("A customer in the store changes her name, another one unsubscribes at Constant Contact. Then again:")
        first, second = sorted(box.cc.members(LIST))[:2]
        for account_id in box.kibo.find_by_email(first):
            box.kibo.update_account(account_id, lastName="Newname")
        box.cc.unsubscribe(second)
        is_good &= _ccsync(folder, "-v export", 0)
        _show_members(box)
        is_good &= _ccsync(folder, "logs", 0)
        is_good &= not box.cc.forbidden_calls
    _say("Done." if is_good else "A command did not end as expected; see above.")
    return 0 if is_good else 1


def _ccsync(folder: str, words: str, expected: int) -> bool:
    """Run one real command, as the operator would type it."""
    print(f"\n$ ccsync {words}", flush=True)
    environ = {**os.environ, "COLUMNS": "110"}
    command = [sys.executable, "-m", "ccsync", *shlex.split(words)]
    done = subprocess.run(command, cwd=folder, env=environ, check=False)
    if done.returncode:
        print(f"(exit {done.returncode})", flush=True)
    return done.returncode == expected


def _show_members(box: Sandbox) -> None:
    members = box.cc.members(LIST)
    _say(f'On the list "{LIST}" at Constant Contact are {len(members)} people:')
    for address in members:
        contact = box.cc.contact(address) or {}
        print(f"  {address:<60} {contact.get('first_name') or ''} {contact.get('last_name') or ''}"[:100])


def _say(text: str) -> None:
    print(f"\n{text}", flush=True)
