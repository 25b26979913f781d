"""The hostile half of the population: what people, shops and attackers type into fields.

Each kind has one fault in one place, so a failing test names its cause. Every address holds its person's
number, and stays at example.com or example.org.
"""

from collections.abc import Callable, Mapping

_Account = dict[str, object]

_NAMES: Mapping[str, tuple[object, object]] = {
    "control": ("Bell\x07\x08Back", "\x7fDelete\x9b31mRed\x85"),
    "nul": ("Nul\x00l", "\x00"),
    "csi": ("\x1b[2J\x1b[31mRed", "\x1b[?1049hOther\x1b[1;1H"),
    "osc52": ("\x1b]52;c;ZXZpbA==\x07Clipboard", "\x1b]0;title\x1b\\Window"),
    "osc8": ("\x1b]8;;https://example.org/\x1b\\Link\x1b]8;;\x1b\\", "\x9d8;;https://example.org/\x9cLink"),
    "bidi": ("\u202egnp.exe\u202c", "\u2066Left\u2069\u200f\u061cRight"),
    "zero_width": ("Ze\u200bro", "\ufeffWi\u2060dth\u00ad\u200d"),
    "line_breaks": ("Two\r\nLines", "Mac\rNext\x85Line\u2028Separator\u2029\v\f\tTab"),
    "formula": ('=HYPERLINK("https://example.org/";"Click")', "@SUM(1+1)*cmd|' /C calc'!A0"),
    "formula_sign": ("+1-2", "-2+3"),
    "formula_tab": ("\t=1+1", '"=1+1"'),
    "percent": ("%s%n%x", "100 %d %(name)s"),
    "braces": ("{0}{name!r}", "{{}} ${HOME} $(id)"),
    "quotes": ("\"Double\" 'Single' `Tick`", "O\\'Neil \\\\ \\n \\"),
    "markup": ("<script>alert(1)</script>", "&amp;&lt; [red]'; DROP TABLE people;--"),
    "emoji_300": ("\U0001f389" * 300, "\U0001f469\U0001f3fd\u200d\U0001f680" * 75),
    "accents_300": ("e" + "\u0301" * 300, "Z" + "\u0336\u0353" * 150),
    "not_characters": ("\ue000\uffff", "\U0010ffff\U000e0041"),
    "only_blanks": ("   ", "\u3000\u2003\xa0"),
    "no_text": (12345, True),
}
LONE_SURROGATES: Mapping[str, object] = {"firstName": "Half\ud83d", "lastName": "\udfff\ud800"}
"""Nobody has these: a reply is UTF-8, which cannot express them."""

_ADDRESSES: Mapping[str, str] = {
    "plus_address": "{local}+news.letter@{domain}",
    "percent_address": "%s{{0}}.{local}@{domain}",
    "formula_address": "=1+{local}@{domain}",
    "apostrophe_address": "o'{local}@{domain}",
    "quoted_address": '"{local} x"@{domain}',
    "comment_address": "{local}(Pat \\ Doe)@{domain}",
    "named_address": "Pat <{local}@{domain}>",
    "two_addresses": "{local}@{domain}; {local}.x@{domain}",
    "unicode_idn": "{local}@b\xfccher.{domain}",
    "punycode_idn": "{local}@xn--bcher-kva.{domain}",
    "inner_space": "{local} @ {domain}",
    "inner_no_break_space": "{local}\xa0x@{domain}",
    "padded_address": " \t{local}@{domain}\r\n",
    "upper_case": "{LOCAL}@{DOMAIN}",
    "two_trailing_dots": "{local}@{domain}..",
    "role_info": "info@shop{index}.{domain}",
    "role_noreply": "noreply@shop{index}.{domain}",
    "escape_address": "\x1b[2J\x1b]52;c;ZXZpbA==\x07{local}\x9b31m@{domain}",
    "bidi_address": "{local}\u202emoc\u202c\u200b@{domain}",
    "nul_address": "{local}\x00@{domain}",
    "line_break_address": "{local}\r\nBcc:x@{domain}",
    "wide_address": "\u6f22\u5b57\u30ab\u30bf\u30ab\u30ca\u6f22\u5b57\u30ab\u30bf\u30ab\u30ca{local}@{domain}",
    "emoji_address": "\U0001f469\U0001f3fd\u200d\U0001f680\U0001f389{local}@{domain}",
    "emoji_address_300": "\U0001f389" * 300 + "{local}@{domain}",
}

DATES: tuple[object, ...] = (
    "1990-05-01", "1990-05-01T00:00:00Z", "1990-05-01T23:59:59.999-05:00", "1990-05-01T09:41:07.766+0000",
    "1990/5/1", "19900501", "5/1/1990", "05/01/1990 12:00:00 AM", "01.05.1990", "1 May 1990", "May 1st", "05-01",
    "1988-02-29", "1989-02-29", "2/30/1990", "13/13/1990", "0001-01-01T00:00:00", "9999-12-31", "1990", "unknown",
    "0000-00-00", 641520000, 641520000000, -1, 1990.5, True, "", " ", None, "\u0661\u0669\u0669\u0660-05-01",
    "1990-05-01\x1b[2J", "=DATE(1990;5;1)",
)  # fmt: skip
"""Hostile accounts have these as birthdays, in turn."""
_PHONES: Mapping[str, Mapping[str, object]] = {
    "phone_extensions": {"home": "512-555-0100 ext. 42", "work": "+1 (512) 555-0101 x7", "mobile": "512.555.0102#9"},
    "phone_letters": {"home": "1-800-FLOWERS", "work": "ask for Pat", "mobile": "n/a"},
    "phone_too_long": {"home": "512-555-0100 or, after six, 512-555-0101", "work": "5" * 300, "mobile": 5125550103},
    "phone_escapes": {"home": "\x1b[2J512", "work": "512\n555\n0100", "mobile": "\u202a+15125550104\u202c"},
}
_PLACES: Mapping[str, Mapping[str, object]] = {
    "country_without_states": {
        "address1": "1 Raffles Pl", "cityOrTown": "Singapore", "stateOrProvince": None, "postalOrZipCode": "048616",
        "countryCode": "SG",
    },
    "state_for_show": {"stateOrProvince": "n/a", "postalOrZipCode": "", "countryCode": "HK"},
    "country_alone": {
        "address1": None, "address2": "", "cityOrTown": None, "stateOrProvince": "", "postalOrZipCode": None,
        "countryCode": "MC",
    },
    "odd_address": {
        "address1": "=1+1\r\n\x1b[2J\u202e", "address2": "x" * 300, "address3": ["not", "text"], "cityOrTown": {},
        "postalOrZipCode": 78701, "countryCode": "%s",
    },
}  # fmt: skip
_ATTRIBUTES: Mapping[str, object] = {
    "attribute_empty": [],
    "attribute_null": None,
    "attribute_blank": ["", None, " "],
    "attribute_mixed": ["gold", 3, 2.5, True, None, {"a": 1}, ["x"], "\x1b[2J=1+1"],
    "attribute_scalar": "%s gold",
}
_OTHER_SECTIONS: Mapping[str, Mapping[str, object]] = {
    "segments_odd": {
        "segments": [{"code": "A, B"}, {"code": "\x1b[2J=1+1"}, {"code": None}, {"code": 7}, {"code": " A, B "}, None],
    },
    "summary_odd": {
        "commerceSummary": {"orderCount": "many\x1b[2J", "totalOrderAmount": {"amount": 1e300}, "lastOrderDate": "%s"},
    },
}
MANY_CONTACTS = 400
_SHAPES = ("hundreds_of_contacts", "no_contact", "null_contacts", "two_primaries")

HOSTILE_KINDS = (*_NAMES, *_ADDRESSES, *_PHONES, *_PLACES, *_ATTRIBUTES, *_OTHER_SECTIONS, *_SHAPES)
"""One of each comes right after the odd ones of a hostile population; later they are four in a hundred."""


def hostile_address(kind: str, plain: str, index: int) -> str:
    """An address of this kind, made from an ordinary one."""
    local, _, domain = plain.partition("@")
    form = _ADDRESSES.get(kind, "{local}@{domain}")
    return form.format(local=local, domain=domain, LOCAL=local.upper(), DOMAIN=domain.upper(), index=index)


def make_hostile(account: _Account, kind: str, index: int) -> None:
    """Put this kind's fault into an account whose address is already of this kind."""
    if kind in _NAMES:
        account["firstName"], account["lastName"] = _NAMES[kind]
        account["companyOrOrganization"] = f"{_NAMES[kind][1]} & {_NAMES[kind][0]}"
    tier = _ATTRIBUTES.get(kind, ["gold"])
    account["attributes"] = [
        _attribute("tenant~loyalty-tier", 11, tier),
        _attribute("tenant~birthday", 12, [DATES[index % len(DATES)]]),
        *([_attribute("Tenant~Loyalty-Tier", 11, ["bronze"])] if kind in _ATTRIBUTES else []),
    ]
    contact = _contact(account, 0)
    account["contacts"] = [contact]
    contact["phoneNumbers"] = dict(_PHONES.get(kind, {"home": f"512-555-{index % 10_000:04d}"}))
    place = contact["address"]
    if isinstance(place, dict):
        place |= _PLACES.get(kind, {})
    account |= _OTHER_SECTIONS.get(kind, {})
    if kind in _SHAPES:
        account["contacts"] = _CONTACTS[kind](account)


def _attribute(name: str, definition: int, values: object) -> _Account:
    return {"fullyQualifiedName": name, "attributeDefinitionId": definition, "values": values}


def _contact(account: _Account, place: int, *types: str) -> _Account:
    number = account["id"]
    return {
        "id": number * 1_000 + place if isinstance(number, int) else place,
        "accountId": number,
        "email": account["emailAddress"],
        "firstName": account["firstName"],
        "lastNameOrSurname": account["lastName"],
        "phoneNumbers": {"home": f"512-555-{place:04d}", "mobile": None, "work": None},
        "address": {
            "address1": f"{1 + place} Main St",
            "address2": None,
            "cityOrTown": "Austin",
            "stateOrProvince": "TX",
            "postalOrZipCode": "78701",
            "countryCode": "US",
            "addressType": "Residential",
            "isValidated": False,
        },
        "types": [{"name": name, "isPrimary": True} for name in types],
    }


def _hundreds(account: _Account) -> list[_Account]:
    # The one that counts comes last, where a reader of the first few misses it.
    return [_contact(account, place, *(["Billing"] if place == MANY_CONTACTS - 1 else [])) for place in
            range(MANY_CONTACTS)]  # fmt: skip


_CONTACTS: Mapping[str, Callable[[_Account], list[_Account] | None]] = {
    "hundreds_of_contacts": _hundreds,
    "no_contact": lambda _: [],
    "null_contacts": lambda _: None,
    "two_primaries": lambda account: [_contact(account, place, "Billing", "Shipping") for place in (0, 1)],
}
