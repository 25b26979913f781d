"""Reports all problems of a config file's content, each with its line and its fix."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from ccsync.config.lines import Outline
from ccsync.config.schema import DEFAULT_MAPPING, MAPPING, SCHEMA, SECTIONS, TAGS, is_placeholder

Document = Mapping[str, object]
Finding = tuple[tuple[str, ...], str]
"""Where (section and key, as written) and what."""

MOST_OF_TAG = 255
"""Letters of a tag: TagPost of https://developer.constantcontact.com/api_reference/index.html."""
_HOMES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(DEFAULT_MAPPING, (MAPPING,)),
    **{key: tuple(one for one, keys in SCHEMA.items() if key in keys) for keys in SCHEMA.values() for key in keys},
}
"""Every key, and the sections it may stand in."""


def content_problems(document: Document, places: Outline, name: str) -> tuple[str, ...]:
    """One line for each problem, `ccsync.toml:14: …`, in the order of the file; never with a value.

    `document` is what tomllib makes of the file, `places` is its outline, `name` is how lines call the file.
    """
    findings = [*_in_sections(document), *_missing(document), *_unfilled(document), *_contradictions(document)]
    placed = [(places.line_of(*names) or 0, text) for names, text in findings]
    placed.sort(key=lambda one: (one[0] == 0, one[0]))
    return tuple(f"{name}:{line}: {text}" if line else f"{name}: {text}" for line, text in placed)


def _in_sections(document: Document) -> Iterator[Finding]:
    for section, values in document.items():
        meant = _meant_section(section)
        if not isinstance(values, Mapping):
            yield (section,), _not_a_section(section)
            continue
        if section not in SECTIONS:
            hint = f"did you mean [{meant}]?" if meant else f"allowed are {', '.join(f'[{one}]' for one in SECTIONS)}"
            yield (section,), f"unknown section [{section}]; {hint}"
        for key, value in values.items() if meant else ():
            free = {MAPPING: _mapping_problem, TAGS: _tag_problem}.get(meant or "")
            problem = free(key, value) if free else _key_problem(meant or "", key, value)
            if problem:
                yield (section, key), problem


def _missing(document: Document) -> Iterator[Finding]:
    """Required keys that are missing; a misspelled one has been reported already."""
    present = set()
    for section, values in document.items():
        meant = _meant_section(section)
        if meant and isinstance(values, Mapping):
            for key in values:
                home, near = _nearest(meant, key)
                present.add((home[0] if len(home) == 1 else "", near))
        elif not isinstance(values, Mapping):
            home, near = _nearest("", section)
            present.add((home[0] if len(home) == 1 else "", near))
    for section, keys in SCHEMA.items():
        for key, rule in keys.items():
            if rule.is_required and (section, key) not in present:
                yield (section,), f"'{key}' is missing in [{section}]"


def _unfilled(document: Document) -> Iterator[Finding]:
    """Placeholders of the example. A tenant may have the example's number, and a secret may come from elsewhere: these
    two are reported only beside a client_id that is still the example's."""
    for section, keys in SCHEMA.items():
        values = _values(document, section)
        if is_placeholder(section, "client_id", values.get("client_id")):
            for key in keys:
                if is_placeholder(section, key, values.get(key)):
                    yield (section, key), f"'{key}' is missing in [{section}]: the example's placeholder stands there"


def _key_problem(section: str, key: str, value: object) -> str | None:
    if rule := SCHEMA[section].get(key):
        wrong = rule.check(value)
        return f"'{key}' in [{section}] {wrong}" if wrong else None
    homes, near = _nearest(section, key)
    if not near:
        hint = f"allowed are {', '.join(SCHEMA[section])}"
    elif near == key:
        hint = f"it belongs in {_listed(homes)}"
    elif section in homes:
        hint = f"did you mean '{near}'?"
    else:
        hint = f"did you mean '{near}' in {_listed(homes)}?"
    return f"unknown key '{key}' in [{section}]; {hint}"


def _mapping_problem(key: str, value: object) -> str | None:
    """The meaning of both sides is checked where the mapping is."""
    if isinstance(value, str) and value.strip() and key.strip():
        return None
    return f"'{key}' in [{MAPPING}] must be the name of a Kibo field, in quotes"


def _tag_problem(key: str, value: object) -> str | None:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > MOST_OF_TAG:
        return f"'{key}' in [{TAGS}] must be the name of a tag, in quotes, with {MOST_OF_TAG} characters at most"
    if key == "*" and "*" not in value:
        return f'\'*\' in [{TAGS}] must hold a *, which stands for the segment\'s name: "*" = "*"'
    return None if key.strip() else f"a key in [{TAGS}] is empty; it must be the code of a segment"


def _not_a_section(name: str) -> str:
    if name in SECTIONS:
        return f"[{name}] must be one section: a line [{name}], and its keys below"
    homes, near = _nearest("", name)
    if not near:
        return f"unknown key '{name}' before the first section"
    belongs = f"it belongs in {_listed(homes)}" if near == name else f"did you mean '{near}' in {_listed(homes)}?"
    return f"'{name}' stands before the first section; {belongs}"


def _nearest(section: str, key: str) -> tuple[tuple[str, ...], str]:
    """The sections and the name that were probably meant, or ((), ""); `section` is preferred."""
    if section and key.startswith("cf:"):
        return (MAPPING,), key
    # difflib alone suggests client_id for "lint_id", so a single typo in the section's own keys is tried first.
    own = SCHEMA.get(section, {})
    slips = [one for one in own if _is_one_slip(_plain(key), one)]
    near = slips or get_close_matches(_plain(key), _HOMES, n=1, cutoff=0.6)
    if not near:
        return (), ""
    homes = _HOMES[near[0]]
    return ((section,) if section in homes else homes), near[0]


def _is_one_slip(one: str, other: str) -> bool:
    """Is it one letter too many, too few or wrong, or two letters swapped?"""
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return max(len(one), len(other)) <= 1 or (len(one) == 2 and one == other[::-1])


def _meant_section(name: str) -> str | None:
    return name if name in SECTIONS else next(iter(get_close_matches(_plain(name), SECTIONS, n=1, cutoff=0.6)), None)


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")


def _listed(sections: tuple[str, ...]) -> str:
    return " or ".join(f"[{one}]" for one in sections)


def _contradictions(document: Document) -> Iterator[Finding]:
    """Keys that are valid on their own but not together."""
    for section in ("kibo", "constant_contact"):
        if {"client_secret", "client_secret_command"} <= _values(document, section).keys():
            yield (section, "client_secret_command"), f"[{section}] has both client_secret and client_secret_command"
    contact = _values(document, "constant_contact")
    if contact.get("flow") in ("pkce", "code") and "redirect_uri" not in contact:
        yield ("constant_contact", "flow"), f"flow = \"{contact['flow']}\" needs 'redirect_uri' in [constant_contact]"
    limits = _values(document, "limits")
    reserve, per_day = (_number(limits, key) for key in ("reserve_per_day", "requests_per_day"))
    if reserve is not None and per_day is not None and reserve >= per_day:
        key = "reserve_per_day" if "reserve_per_day" in limits else "requests_per_day"
        yield ("limits", key), f"'reserve_per_day' ({reserve:,}) must be below 'requests_per_day' ({per_day:,})"


def _values(document: Document, section: str) -> Mapping[str, object]:
    values = document.get(section)
    return values if isinstance(values, Mapping) else {}


def _number(limits: Mapping[str, object], key: str) -> int | None:
    """The number in force; `None` if it is invalid, which has its own line."""
    rule = SCHEMA["limits"][key]
    value = limits.get(key, rule.default)
    return value if isinstance(value, int) and rule.check(value) is None else None
