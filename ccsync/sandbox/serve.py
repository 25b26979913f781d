"""Serve both vendors until Ctrl-C, with a ready config file to play with."""

import argparse
import os
import threading
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

from ccsync.sandbox.box import Sandbox
from ccsync.sandbox.settings import SandboxSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `serve` can be told."""
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
    settings = SandboxSettings(
        customers=arguments.customers,
        seed=arguments.seed,
        latency_ms=arguments.latency_ms,
        **_told(arguments.set),  # type: ignore[arg-type]
    )
    box = Sandbox(settings, port_base=arguments.port_base)
    box.cc.approve_automatically = arguments.approve_automatically
    config = write_config(arguments.directory, box.config_text())
    with box:
        urls = box.urls
        print(f"Kibo              {urls.kibo_home} (home), {urls.kibo_tenant} (tenant)")
        print(f"Constant Contact  {urls.cc_api} (API), {urls.cc_auth} (sign-in)")
        print(f"Control           {urls.control}")
        print(f"Config            {config}")
        print("\nNow, in another terminal:")
        for command in ("login", 'configure --list "Web shop customers" --create-list', "export"):
            print(f"  ccsync --config {config} {command}")
        print("\nCtrl-C ends it.", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


def write_config(directory: Path, text: str) -> Path:
    """Write a config that is its owner's alone, and begin without an old state file."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("ccsync.db", "ccsync.db-wal", "ccsync.db-shm"):
        (directory / name).unlink(missing_ok=True)
    path = directory / "ccsync.toml"
    with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    path.chmod(0o600)
    return path


def _told(pairs: list[str]) -> dict[str, object]:
    """Settings given as NAME=VALUE. Raises `SystemExit` for a name or value that cannot be."""
    defaults = {one.name: one.default for one in fields(SandboxSettings)}
    told: dict[str, object] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in defaults:
            raise SystemExit(f"--set {name}: no such setting; there are {', '.join(sorted(defaults))}")
        told[name] = _typed(defaults[name], text)
    return told


def _typed(default: object, text: str) -> object:
    if isinstance(default, bool):
        return text.lower() in ("true", "yes", "1")
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        return float(text)
    if isinstance(default, frozenset):
        return frozenset(part for part in text.split(",") if part)
    return text
