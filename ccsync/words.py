"""Numbers and times in sentences, for every message: `1 record`, `3 records`, `2026-11-23 14:05:09 +01:00`."""

from datetime import datetime


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 record`, `1,200 records`; `plural` where an s will not do."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def people(number: int) -> str:
    """`1 person`, `3 people`."""
    return counted(number, "person", "people")


def days_ago(days: int) -> str:
    """`today`, `1 day ago`, `3 days ago`."""
    return f"{counted(days, 'day')} ago" if days > 0 else "today"


def local_time(at: datetime) -> str:
    """A time as an operator reads it, in the one format of all texts."""
    local = at.astimezone()
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S} {offset[:3]}:{offset[3:5]}"
