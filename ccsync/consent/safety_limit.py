"""The safety limit: what stops a mass change until a person has looked."""

from dataclasses import dataclass


def has_left_too_many(gone: int, checked: int) -> bool:
    """The safety limit: has a fifth of the members that were looked for vanished at once, and more than a handful?"""
    return gone > 10 and gone * 5 > checked


def let_through(wanted: int, done: int, on_list: int, most: int, accept: int = 0) -> int:
    """The safety limit on removals: how many of `wanted` may go out now, after `done` in this run.

    `most` is [sync] max_opt_outs (0: no limit), `on_list` how many ccsync has on the list now. A fifth of them at
    once, if more than a handful, is too much as well. What a person accepts goes out up to that number.
    """
    total = wanted + done
    is_too_much = most > 0 and (total > most or has_left_too_many(total, on_list + done))
    return min(wanted, max(0, accept - done)) if is_too_much else wanted


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many changes may be written now, out of how many."""

    may_go: int
    held: int


def allowance(wanted: int, gone: int, departed: int, on_list: int, most: int, accept: int) -> Allowance:
    """How many of `wanted` changes may be written: all, or when that is too much, what a person accepts.

    Too much is more than `most` (0: no limit), or a fifth of the list gone at once, or a list that is suddenly empty
    because more than one left it. `gone` counts those whom ccsync had put on the list, of which `departed` left only
    the list; `on_list` are left there.
    """
    is_empty = on_list == 0 and departed > 1
    is_too_much = most > 0 and (wanted > most or has_left_too_many(gone, on_list + gone) or is_empty)
    may_go = min(wanted, max(0, accept)) if is_too_much else wanted
    return Allowance(may_go, wanted - may_go)
