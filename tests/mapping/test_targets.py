"""Dates as they come, and what the table of targets says."""

from datetime import date

import pytest

from ccsync.mapping.targets import TARGETS, date_of, target_of

MAY_1 = date(1990, 5, 1)


@pytest.mark.parametrize(
    "text",
    [
        "1990-05-01",
        "1990-5-1",
        "1990/05/01",
        "19900501",
        "1990-05-01T00:00:00Z",
        "1990-05-01T23:59:59.9999999Z",
        "1990-05-01T00:00:00+14:00",
        "1990-05-01T23:59:59-0800",
        "1990-05-01T10:00",
        "1990-05-01 10:00:00",
        "1990-05-01t10:00:00z",
        "05/01/1990",
        "5/1/1990",
        "5/1/1990 12:00:00 AM",
    ],
)
def test_every_usual_form_of_a_date_is_read(text: str) -> None:
    """The calendar date as written counts, whatever the time and the zone."""
    assert date_of(text) == MAY_1


@pytest.mark.parametrize(
    "text",
    [
        "", "May 1, 1990", "1990", "1990-05", "199051", "1990-0501", "1990-02-29", "25/12/1990", "13/13/1990",
        "0000-01-01", "1990-05-01X", "01.05.1990", "641520000", "/Date(641520000000)/", "1990-05-01\n",
        "१९९०-०५-०१", "1990-05-01, 1991-05-01", "1990-05-01T" + "0" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_date_is_no_date(text: str) -> None:
    """Nothing is guessed: a day that never was, words, numbers and several dates read as none."""
    assert date_of(text) is None


def test_the_table_names_every_target() -> None:
    """What configure shows as allowed is what the contract lists."""
    assert list(TARGETS) == [
        "first_name", "last_name", "job_title", "company_name", "phones", "address", "birthday",
        "anniversary", "cf:<name>",
    ]  # fmt: skip
    assert target_of("cf:loyalty_tier") is TARGETS["cf:<name>"]
    assert target_of("cf:") is None
    assert target_of("email") is None
