"""E-mail addresses: one form to compare by, and whether Constant Contact can be expected to take one.

Constant Contact publishes no rules of syntax, so these are the ones nobody disputes: an unquoted ASCII local
part and a host name with a dot. An address is sent trimmed, its case as stored, and is never cut.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LONGEST_ADDRESS = 80
"""Characters. `EmailAddress` says 80, `JsonImportContact` says 50: 51-80 are sent and then looked for.
https://developer.constantcontact.com/api_reference/index.html"""

_LONGEST_LOCAL_PART = 64  # RFC 5321 §4.5.3.1.1
_LONGEST_LABEL = 63  # RFC 1035 §2.3.4

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_TOP = r"(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])"  # every name of the root zone, and no other form
_ADDRESS = re.compile(rf"(?=[^@]{{1,{_LONGEST_LOCAL_PART}}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+({_TOP})")
_TOP_ALONE = re.compile(_TOP)
_NOWHERE = frozenset({"invalid", "local", "localhost", "onion", "internal", "arpa"})
"""Ends of domains that take no mail from outside: https://www.iana.org/assignments/special-use-domain-names"""
_NOT_ATOM = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]")
_NOT_LABEL = re.compile(r"[^A-Za-z0-9.-]")


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a record is not sent: a code for programs, the Kibo field, one sentence for people.

    The reason names the field and what would mend it, and holds no part of the address.
    Made here: `no-address`, `bad-address`, `long-address`; those who decide on consent add their own codes.
    """

    code: str
    field: str
    reason: str


def person_key_text(address: str) -> str:
    """Return the form two addresses are compared by: equal if and only if they are one person's.

    Trimmed, NFC, lower case; not `casefold`, which would make one person of "groß@" and "gross@".
    Broken characters come back escaped, so that the result can always be encoded as UTF-8.
    """
    trimmed = address.strip()
    if trimmed.isascii():
        return trimmed.lower()
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", trimmed).lower())
    return lowered.encode("utf-8", "backslashreplace").decode("utf-8")


def check_address(address: str | None) -> Rejection | None:
    """Return why the address can't be sent, or `None` when it can. White space around it does not count."""
    if not isinstance(address, str) or not (trimmed := address.strip()):
        return Rejection("no-address", "emailAddress", "emailAddress is empty: give the account an address in Kibo.")
    return _check(trimmed)


@lru_cache(maxsize=2_000)  # an account of a page is asked for by several steps, one after the other
def _check(trimmed: str) -> Rejection | None:
    # Before the pattern, which is not let loose on a text of any length.
    if len(trimmed) > LONGEST_ADDRESS:
        return Rejection(
            "long-address",
            "emailAddress",
            f"emailAddress has {len(trimmed)} characters where Constant Contact takes {LONGEST_ADDRESS}:"
            " give the account a shorter address in Kibo.",
        )
    found = _ADDRESS.fullmatch(trimmed)
    if found and found[1].lower() not in _NOWHERE:
        return None
    return Rejection("bad-address", "emailAddress", f"emailAddress {_fault(trimmed)}")


def _fault(address: str) -> str:
    """Say what is wrong with the address, the most helpful fault first."""
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in address):
        return "has a control or invisible character inside: type it again in Kibo."
    if any(c.isspace() for c in address):
        return "has a blank inside: remove it, or keep one address of several, in Kibo."
    if '"' in address:
        return "has a quoted part, which Constant Contact may refuse: use an address without quotes."
    if "@" not in address:
        return "has no @: correct it in Kibo."
    if address.count("@") > 1:
        return "has more than one @: keep one address in Kibo."
    local_part, _, domain = address.partition("@")
    return _local_part_fault(local_part) or _domain_fault(domain) or "is not an address: correct it in Kibo."


def _local_part_fault(local_part: str) -> str:
    if not local_part:
        return "has nothing before the @: correct it in Kibo."
    if not local_part.isascii():
        return "has a letter outside ASCII before the @, which Constant Contact may refuse: use another address."
    if _NOT_ATOM.search(local_part):
        return "has a comma, bracket or other forbidden sign before the @: remove it in Kibo."
    if len(local_part) > _LONGEST_LOCAL_PART:
        return f"has more than {_LONGEST_LOCAL_PART} characters before the @: use a shorter address in Kibo."
    if "" in local_part.split("."):
        return "has a dot at the start, at the end or twice in a row before the @: correct it in Kibo."
    return ""


def _domain_fault(domain: str) -> str:
    labels = domain.split(".")
    if not domain:
        return "has nothing after the @: correct it in Kibo."
    if not domain.isascii():
        return (
            "has a domain with letters outside ASCII, and it is unknown whether Constant Contact takes those:"
            " write the domain in its xn-- form in Kibo."
        )
    if domain.endswith("."):
        return "ends with a dot: remove it in Kibo."
    if _NOT_LABEL.search(domain):
        return "has a comma, bracket or other forbidden sign in its domain: remove it in Kibo."
    if len(labels) == 1:
        return "has a domain without a dot, such as a missing .com: complete it in Kibo."
    if "" in labels:
        return "has a misplaced dot in its domain: correct it in Kibo."
    if any(label[0] == "-" or label[-1] == "-" or len(label) > _LONGEST_LABEL for label in labels):
        return "has a domain part that starts or ends with a hyphen or is too long: correct it in Kibo."
    if labels[-1].isdigit():
        return "has a domain that ends in a number: write the mail provider's name in Kibo."
    if not _TOP_ALONE.fullmatch(labels[-1]):
        return "has a domain that does not end like one, in .com for example: correct it in Kibo."
    if labels[-1].lower() in _NOWHERE:
        return (
            f"has a domain that takes no mail, because it ends in .{labels[-1].lower()}: use another address in Kibo."
        )
    return ""
