"""The entry point: `ccsync` and `python -m ccsync`."""

import gc
import sys

from ccsync.cli.app import run


def main() -> None:
    """Run the command line and exit with its code."""
    # Pages of records are many objects without cycles: by default a tenth of an export's time goes into collecting
    # them.
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
