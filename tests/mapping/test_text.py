"""What is taken out of a text, what stays, and where one that is too long is cut."""

import unicodedata

import pytest

from ccsync.mapping.text import clean, cut

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Pat",
        '=HYPERLINK("http://example.com","x")',
        "+1",
        "-2",
        "@SUM(A1)",
        "O'Brien; DROP TABLE customers--",
        "%s %n {0} ${HOME} $(id) `id`",
        "Zoë",
        "Ze\u0301lie",
        "山田\u3000太郎",
        "نام\u200cه",
        FAMILY,
        "a\u200eb",
        "N\u00a0B",
    ],
)
def test_what_a_person_wrote_stays_as_it_is(text: str) -> None:
    """Formulas, quotes, format characters, joiners and foreign blanks are not ours to change."""
    assert clean(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "cleaned", "was_stripped"),
    [
        ("  Pat   Doe  ", "Pat Doe", False),
        ("Pat\r\nDoe", "Pat Doe", False),
        ("Pat\tDoe\n", "Pat Doe", False),
        ("Pat\u2028Doe\x85X", "Pat Doe X", False),
        ("山田\u3000\u3000太郎\u3000", "山田 太郎", False),
        ("P\x00at", "Pat", True),
        ("\x1b[2JPat\x07", "[2JPat", True),
        ("\x9b31mPat", "31mPat", True),
        ("P\ud800at\udfff", "Pat", True),
        ("\u202eevil\u202c \u2066x\u2069", "evil x", True),
        ("Pat \x01 Doe", "Pat Doe", True),
        ("\x00", "", True),
        (" \n ", "", False),
    ],
)
def test_what_breaks_rows_terminals_and_encoders_is_taken_out(text: str, cleaned: str, was_stripped: bool) -> None:
    """Line breaks become blanks, runs of blanks become one; controls, surrogates and bidi overrides go."""
    assert clean(text) == (cleaned, was_stripped)
    assert clean(cleaned) == (cleaned, False)
    assert cleaned.isprintable()


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Pat", 3, "Pat"),
        ("Patricia", 3, "Pat"),
        ("Pat Doe", 4, "Pat"),
        ("Zoe\u0301lie", 3, "Zo"),
        ("abc" + FAMILY, 5, "abc"),
        ("abc" + FAMILY, 6, "abc"),
        ("ab\U0001f44d\U0001f3fd", 3, "ab"),
        ("ab\u2764\ufe0fcd", 3, "ab"),
        ("山田太郎", 2, "山田"),
    ],
)
def test_a_cut_falls_between_letters(text: str, limit: int, expected: str) -> None:
    """The last letter keeps its accents and an emoji its parts, or both go."""
    assert cut(text, limit) == expected


@pytest.mark.parametrize("text", ["a" + "\u0301" * 1000, "\u0301" * 300, FAMILY * 100, "\u200d" * 300])
@pytest.mark.parametrize("limit", [1, 17, 50])
def test_a_pile_of_accents_is_cut_within_the_limit(text: str, limit: int) -> None:
    """A thousand accents on one letter do not empty the name, and never end it in a joiner."""
    shorter = cut(text, limit)
    assert len(shorter) <= limit
    assert not shorter.endswith("\u200d")
    if unicodedata.category(text[0]) != "Cf":
        assert shorter
