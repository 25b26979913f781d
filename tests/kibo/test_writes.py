"""What a PUT of an account carries: the text that came, with one value changed."""

import json

import pytest

from ccsync.kibo.writes import with_consent

NUMBERS = [
    "0.1234567890123456789012345678901234567890",
    "12345678901234567890123456789",
    "1.0",
    "1",
    "1e2",
    "1E+400",
    "-0.0",
    "100.00",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_go_back_exactly_as_they_came(number: str) -> None:
    """Not a digit of a number, its point or its exponent is lost, wherever it stands."""
    text = f'{{"id": 7, "acceptsMarketing" : true ,"attributes":[{{"values":[{number}]}}], "unknown": {number}}}'
    expected = text.replace("true", "false")
    assert with_consent(text.encode(), False).decode() == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id":7}', '{"acceptsMarketing":true,"id":7}'),
        (" {} ", ' {"acceptsMarketing":true} '),
        ('{"acceptsMarketing":null,"a":{"acceptsMarketing":null}}', None),
        ('{"acceptsMarketing":false,"b":"}","acceptsMarketing":false}', None),
        ('{"a":"\\"acceptsMarketing\\":false","acceptsMarketing"\n:\tfalse}', None),
        ('{"accepts\\u004darketing":false}', '{"accepts\\u004darketing":true}'),
        ('{"x":"\\ud800","n":"Zoë 😀","acceptsMarketing":false}', None),
    ],
)
def test_only_the_consent_changes(text: str, expected: str | None) -> None:
    """The account's own flag, wherever it stands and however it is written; what only looks like it stays."""
    made = with_consent(text.encode(), True).decode()
    before, after = json.loads(text), json.loads(made)
    assert after == {**before, "acceptsMarketing": True}
    assert expected in (None, made)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32-le"])
def test_it_is_written_as_utf_8(encoding: str) -> None:
    """Whatever encoding Kibo's answer has."""
    text = '{"n":"Zoë","acceptsMarketing":true}'
    assert json.loads(with_consent(text.encode(encoding), False).decode()) == {"n": "Zoë", "acceptsMarketing": False}


def test_a_lone_surrogate_is_escaped() -> None:
    """Bytes that are no UTF-8 are not sent."""
    made = with_consent(b'{"n":"\xed\xa0\x80","acceptsMarketing":true}', False)
    assert made == b'{"n":"\\ud800","acceptsMarketing":false}'
