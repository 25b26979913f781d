"""Which contacts a listing wants, and the SQL that finds them a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Which contacts a listing wants. `bounds`: column, operator, seconds."""

    key: str | None = None
    lists: tuple[int, ...] | None = None
    statuses: tuple[str, ...] | None = None
    sms: tuple[str, ...] | None = None
    bounds: tuple[tuple[str, str, float], ...] = ()


def search(selection: Selection, after: int, limit: int) -> tuple[str, list[object]]:
    """SQL that yields the `seq` of a page.

    One arm for each list or status, each walking an index in the order of `seq`, so that a deep page
    costs what the first one does.
    """
    where, values = _conditions(selection)
    arms: list[tuple[str, object | None]]
    if selection.key is not None:
        arms = [("contacts c WHERE c.key = ? AND", selection.key)]
    elif selection.lists is not None:
        source = "memberships m CROSS JOIN contacts c ON c.seq = m.contact WHERE m.list = ? AND"
        arms = [(source, one) for one in selection.lists]
    elif any(column == "opt_out_at" for column, _, _ in selection.bounds):
        arms = [("contacts c INDEXED BY contacts_opt_out WHERE c.opt_out_at IS NOT NULL AND", None)]
    elif selection.statuses is not None:
        source = "contacts c INDEXED BY contacts_status WHERE c.status = ? AND"
        arms = [(source, one) for one in selection.statuses]
    else:
        arms = [("contacts c WHERE", None)]
    order = "m.contact" if selection.key is None and selection.lists is not None else "c.seq"
    sql, parameters = [], []
    for source, argument in arms:
        inner = f"SELECT c.seq FROM {source} {order} > ?{where} ORDER BY {order} LIMIT ?"  # noqa: S608
        sql.append(f"SELECT seq FROM ({inner})")  # noqa: S608
        parameters += [*([] if argument is None else [argument]), after, *values, limit]
    if not sql:
        return "SELECT seq FROM contacts WHERE 0", []
    return f"{' UNION '.join(sql)} ORDER BY seq LIMIT ?", [*parameters, limit]


def _conditions(selection: Selection) -> tuple[str, list[object]]:
    where, values = "", []
    for column, words in (("status", selection.statuses), ("sms_permission", selection.sms)):
        if words is not None:
            where += f" AND c.{column} IN ({marks(words)})"
            values += list[object](words)
    if selection.key is not None and selection.lists is not None:
        inner = f"SELECT 1 FROM memberships WHERE contact = c.seq AND list IN ({marks(selection.lists)})"  # noqa: S608
        where += f" AND EXISTS ({inner})"
        values += selection.lists
    for column, operator, bound in selection.bounds:
        where += f" AND c.{column} {operator} ?"
        values.append(bound)
    return where, values


def marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
