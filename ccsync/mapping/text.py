"""Plain text: what is taken out of a value before it is sent, and how one that is too long is cut.

Only what breaks rows, terminals or encoders goes; every other character is the person's own and stays.
"""

import re
import unicodedata

# The Unicode line breaks and the tab; anything else of category Cc is taken out below.
_BREAKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029]")
# Cc, lone surrogates (Cs; no UTF-8 can carry them), and the bidi embeddings, overrides and isolates.
# ZWJ and ZWNJ are part of Persian and Indic spelling and of emoji, so they stay.
_UNSENDABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_BLANKS = re.compile(r"\s{2,}")

_ZWJ = "\u200d"
_LONGEST_CLUSTER = 16  # a name under a thousand accents is cut in their midst rather than emptied


def is_plain(text: str) -> bool:
    """Whether `clean` would leave the text as it is, judged fast: true for nearly every value."""
    # `isprintable` is false for every control, surrogate, format character and blank other than " ".
    return text.isprintable() and "  " not in text and text.strip() == text


def clean(text: str) -> tuple[str, bool]:
    """Return the text on one line, free of control characters, and whether any of those was taken out."""
    if is_plain(text):
        return text, False
    spaced = _BREAKS.sub(" ", text)
    kept = _UNSENDABLE.sub("", spaced)
    return _BLANKS.sub(" ", kept).strip(), len(kept) != len(spaced)


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters (code points), never ending inside a letter's accents or an emoji."""
    if len(text) <= limit:
        return text
    end = limit
    while end > max(0, limit - _LONGEST_CLUSTER) and _goes_on(text, end):
        end -= 1
    if end == 0 or _goes_on(text, end):
        end = limit
    return text[:end].rstrip(_ZWJ + " ")


def _goes_on(text: str, at: int) -> bool:
    """Whether the character at this place belongs to the one before it."""
    here = text[at]
    is_skin_tone = "\U0001f3fb" <= here <= "\U0001f3ff"
    return here == _ZWJ or text[at - 1] == _ZWJ or is_skin_tone or unicodedata.category(here)[0] == "M"
