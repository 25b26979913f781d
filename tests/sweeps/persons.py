"""The people on whom the sweeps act."""

UNSUBSCRIBER, LEAVER, LATE_OPT_IN, LATE_OPT_OUT = (
    f"{name}@example.com" for name in ("unsubscriber", "leaver", "late.opt.in", "late.opt.out")
)
