"""Serve both vendors until Ctrl-C, with a ready config file to play with."""

import argparse
import os
import shlex
import signal
import threading
from dataclasses import fields
from pathlib import Path

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings

MARK = "# Written by python -m ccsync.sandbox; it may overwrite this file and the state file beside it.\n"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the options of `serve`."""
    parser.add_argument("--customers", type=int, default=200, metavar="N", help="size of the store (200)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which people (1)")
    parser.add_argument("--latency-ms", type=int, default=0, metavar="L", help="before each answer of Kibo (0)")
    parser.add_argument(
        "--directory", type=Path, default=Path("sandbox"), metavar="DIR", help="for the config (./sandbox)"
    )
    parser.add_argument("--port-base", type=int, default=0, metavar="P", help="first of five ports (any free ones)")
    parser.add_argument("--approve-automatically", action="store_true", help="approve every login by itself")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any setting of ccsync/sandbox/settings.py, e.g. refresh_tokens=long-lived",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    box = _sandbox(arguments)
    box.cc.approve_automatically = arguments.approve_automatically
    is_over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # set by hand: a shell's background job ignores SIGINT
        signal.signal(number, lambda *_: is_over.set())
    with box:
        config = write_config(arguments.directory, box.config_text())
        urls = box.urls
        print(f"Kibo              {urls.kibo_home} (home), {urls.kibo_tenant} (tenant)")
        print(f"Constant Contact  {urls.cc_api} (API), {urls.cc_auth} (sign-in)")
        print(f"Control           {urls.control}")
        print(f"Config            {config}")
        print("\nNow, in another terminal:")
        for command in ("login", 'configure --list "Web shop customers" --create-list', "export"):
            print(f"  ccsync --config {shlex.quote(str(config))} {command}")
        print("\nCtrl-C ends it.", flush=True)
        is_over.wait()
    return 0


def _sandbox(arguments: argparse.Namespace) -> Sandbox:
    """The sandbox with these settings. Raises `SystemExit` for values that cannot be."""
    given = {"customers": arguments.customers, "seed": arguments.seed, "latency_ms": arguments.latency_ms}
    try:
        settings = SandboxSettings(**given | _settings_of(arguments.set))
        return Sandbox(settings, port_base=arguments.port_base, keeps_bodies=False)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    except (OSError, OverflowError) as error:
        raise SystemExit(f"--port-base {arguments.port_base}: {error}") from None


def write_config(directory: Path, text: str) -> Path:
    """Write a config that only its owner can read, and remove an old state file.

    Raises `SystemExit` for a config or a state file that no sandbox wrote: it may belong to a real shop.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "ccsync.toml"
    states = [directory / name for name in ("ccsync.db", "ccsync.db-wal", "ccsync.db-shm")]
    is_ours = path.is_file() and path.read_text(errors="replace").startswith(MARK)
    if not is_ours and any(one.exists() for one in (path, *states)):
        raise SystemExit(
            f"{directory} holds a config or a state file that is not a sandbox's; choose another --directory"
        )
    for state in states:
        state.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(MARK + text)
    return path


def environ_for(directory: Path) -> dict[str, str]:
    """The environment for a ccsync in this directory, without the operator's own settings: they may be real."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CCSYNC_")}
    return kept | {"CCSYNC_CONFIG": str(directory / "ccsync.toml")}


def _settings_of(pairs: list[str]) -> dict[str, object]:
    """Settings given as NAME=VALUE. Raises `SystemExit` for a name or value that cannot be."""
    defaults = {one.name: one.default for one in fields(SandboxSettings)}
    given: dict[str, object] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in defaults:
            raise SystemExit(f"--set {name}: no such setting; there are {', '.join(sorted(defaults))}")
        try:
            given[name] = _typed(defaults[name], text)
        except (KeyError, ValueError):
            raise SystemExit(f"--set {pair}: {name} is like {defaults[name]}") from None
    return given


def _typed(default: object, text: str) -> object:
    if isinstance(default, bool):
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        return float(text)
    if isinstance(default, frozenset):
        return frozenset(part for part in text.split(",") if part)
    return text
