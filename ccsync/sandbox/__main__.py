"""`python -m ccsync.sandbox serve | demo | bench`."""

import argparse
import sys

from ccsync.sandbox import bench, demo, serve


def main() -> int:
    """Run one of the sandbox's commands and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ccsync.sandbox", description="Both vendors, simulated on loopback."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for module in (serve, demo, bench):
        name = module.__name__.rpartition(".")[2]
        summary = (module.__doc__ or "").strip().splitlines()[0]
        module.add_arguments(commands.add_parser(name, help=summary, description=summary))
    arguments = parser.parse_args()
    runs = {"serve": serve.run, "demo": demo.run, "bench": bench.run}
    return runs[arguments.command](arguments)


if __name__ == "__main__":
    sys.exit(main())
