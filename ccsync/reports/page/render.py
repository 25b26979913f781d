"""Renders the report with jinja2, which comes with the extra `report`."""

import importlib
import sys
from datetime import date
from importlib.resources import files

from ccsync.errors import InputError
from ccsync.reports.page import charts
from ccsync.reports.page.facts import Facts


def render(facts: Facts) -> str:
    """The page. Raises `InputError` where jinja2 is not installed."""
    try:
        jinja2 = importlib.import_module("jinja2")  # only this page wants it, and only it pays for loading it
    except ImportError:
        raise InputError(
            "The report needs the package jinja2, which is not installed.",
            "nothing else in ccsync needs it, so it is an extra.",
            # Not ccsync[report]: no index has ccsync, and under its name somebody could offer anything.
            f"{sys.executable} -m pip install jinja2",
        ) from None
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(files(__package__).joinpath("report.html.jinja").read_text("utf-8"))
    text: str = template.render(
        facts=facts, day=_day, width=charts.WIDTH, height=charts.HEIGHT, left=charts.LEFT, right=charts.RIGHT
    )
    return text


def _day(at: date) -> str:
    return f"{at:%B} {at.day}, {at.year}"
