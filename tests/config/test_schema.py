"""The table of keys: every key's typo, wrong type and wrong value is caught, with its line and the right name."""

import string
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from ccsync.config.checking import content_problems
from ccsync.config.lines import outline
from ccsync.config.reading import load_config
from ccsync.config.schema import SCHEMA, SETTINGS
from tests.config.files import LEAST, problems, with_line, write

KEYS = [(section, key) for section, keys in SCHEMA.items() for key in keys]
LITERALS = {
    bool: "true",
    int: "7",
    float: "7.5",
    str: '"some text"',
    tuple: '["a", "b"]',
    dict: "{a = 1}",
    "date": "2026-01-01",
}
BAD_NUMBERS = {
    "tenant_id": ("0", "-1", "2147483648"),
    "interval_minutes": ("0", "1441"),
    "max_opt_outs": ("-1", "10000001"),
    "requests_per_second": ("0", "-0.5", "100.1", "inf", "nan"),
    "requests_per_day": ("0", "10000001"),
    "reserve_per_day": ("-1", "10000001"),
    "kibo_requests_per_second": ("0", "-1", "1001", "inf", "nan"),
    "keep_days": ("0", "36501"),
}
BAD_URLS = (
    '"home.mozu.com"',
    '"ftp://home.mozu.com"',
    '"http://home.mozu.com"',
    '"http://127.0.0.2"',
    '"http://127.0.0.1.evil.test"',
    '"http://localhost.evil.test"',
    '"https://user:word@home.mozu.com"',
    '"https://@home.mozu.com"',
    '"https://home.mozu.com?x=1"',
    '"https://home.mozu.com/?"',
    '"https://home.mozu.com/#"',
    '"https://"',
    '"https:///path"',
    '"https://home.mozu.com:port"',
    '"https://home.mozu.com:99999"',
    '"https://[::1"',
    '"https://home mozu.com"',
    '"https://home.mozu.com\\n"',
    '"https://home.mozu.com\\\\@evil.test"',
)
BAD_WORDS = ('" key"', '"key "', '"key\\n"', '"a\\tb"', '"a\\u0000b"')
BAD_VALUES = (
    [(key, value) for key, values in BAD_NUMBERS.items() for value in values]
    + [(key, value) for _, key in KEYS if key.endswith(("_url", "_uri")) for value in BAD_URLS]
    + [(key, value) for key in ("client_id", "client_secret", "list_id") for value in BAD_WORDS]
    + [(key, value) for key in ("flow", "opt_out") for value in ('"Device"', '"remove"', '"code "')]
    + [(key, v) for key in ("from_email", "reply_to_email") for v in ('"a"', '"a@b"', '"a @b.c"', '"a@b@c.d"')]
    + [("client_secret_command", value) for value in ("[]", '[""]', '["a", 1]', '"pass show"', '["a\\u0000"]')]
    + [("path", '"a\\u0000"')]
)


def slips(key: str) -> set[str]:
    """Every name one edit away: a letter too many, too few or wrong, two swapped."""
    letters = string.ascii_lowercase + string.digits + "_-"
    spots = range(len(key))
    names = {key[:at] + key[at + 1 :] for at in spots}
    names |= {key[:at] + key[at + 1] + key[at] + key[at + 2 :] for at in spots[:-1]}
    names |= {key[:at] + one + key[at + 1 :] for at in spots for one in letters}
    names |= {key[:at] + one + key[at:] for at in (*spots, len(key)) for one in letters}
    return names - {key}


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_every_slip_in_a_key_is_answered_with_the_right_name(section: str, key: str) -> None:
    """Whatever one letter goes wrong in a key, the right one is named, and nothing else is said."""
    places = outline("")
    least = {"kibo": {"tenant_id": 1, "client_id": "a"}, "constant_contact": {"client_id": "b"}}
    base = {one: dict(least.get(one, {})) for one in SCHEMA}
    base[section].pop(key, None)
    for slip in slips(key):
        found = content_problems({**base, section: {**base[section], slip: 1}}, places, "ccsync.toml")
        assert found == (f"ccsync.toml: unknown key '{slip}' in [{section}]; did you mean '{key}'?",)


@pytest.mark.parametrize(
    ("section", "key", "name"),
    [
        (*one, name)
        for one in KEYS
        for name in sorted({one[1].upper(), one[1].title(), one[1].replace("_", "-")} - {one[1]})
    ],
)
def test_a_key_in_another_spelling_is_recognised(section: str, key: str, name: str, tmp_path: Path) -> None:
    """TENANT_ID, Tenant_Id and tenant-id all mean tenant_id."""
    text, line = with_line(section, f"{name} = 1")
    assert f"ccsync.toml:{line}: unknown key '{name}' in [{section}]; did you mean '{key}'?" in problems(tmp_path, text)


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_key_in_another_section_is_told_its_own(section: str, key: str, tmp_path: Path) -> None:
    """A key that stands in the wrong section is sent to the right one."""
    other = next(one for one in SCHEMA if key not in SCHEMA[one])
    text, line = with_line(other, f"{key} = 1")
    (told,) = (one for one in problems(tmp_path, text) if "unknown" in one)
    homes = " or ".join(f"[{one}]" for one in SCHEMA if key in SCHEMA[one])
    assert told == f"ccsync.toml:{line}: unknown key '{key}' in [{other}]; it belongs in {homes}"


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_value_of_another_type_is_refused(section: str, key: str, tmp_path: Path) -> None:
    """No key takes another type than its own: true is no number, 7.5 no whole one, and "7" neither."""
    hint = get_type_hints(SETTINGS[section])[key]
    own = {one for one in (hint, *get_args(hint)) if isinstance(one, type)}
    own |= {str} if Path in own else set()
    own |= {int} if float in own else set()
    own |= {tuple} if "tuple" in str(hint) else set()
    for kind, literal in LITERALS.items():
        if kind in own:
            continue
        text, line = with_line(section, f"{key} = {literal}")
        (told,) = problems(tmp_path, text)
        assert told.startswith(f"ccsync.toml:{line}: '{key}' in [{section}] must be ")


@pytest.mark.parametrize(("key", "value"), BAD_VALUES)
def test_a_value_that_is_not_allowed_is_refused(key: str, value: str, tmp_path: Path) -> None:
    """A value out of range, and a URL, word, address or choice of the wrong form, is refused with what is allowed."""
    for section in (one for one in SCHEMA if key in SCHEMA[one]):
        text, line = with_line(section, f"{key} = {value}")
        (told,) = problems(tmp_path, text)
        assert told.startswith(f"ccsync.toml:{line}: '{key}' in [{section}] must ")


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_an_empty_text_is_refused(section: str, key: str, tmp_path: Path) -> None:
    """A key that is set to an empty text, or to blanks, is a problem and not the default."""
    for value in ('""', '"  "'):
        text, line = with_line(section, f"{key} = {value}")
        (told,) = problems(tmp_path, text)
        assert told.startswith(f"ccsync.toml:{line}: '{key}' in [{section}] must be ")


@pytest.mark.parametrize(("section", "key"), [one for one in KEYS if SCHEMA[one[0]][one[1]].is_required])
def test_a_missing_key_is_named(section: str, key: str, tmp_path: Path) -> None:
    """Without tenant_id or a client_id nothing works, and the error points to the section."""
    text, line = with_line(section, f"{key} = 1")
    lines = text.splitlines()
    del lines[line - 1]
    assert problems(tmp_path, "\n".join(lines)) == (f"ccsync.toml:{line - 1}: '{key}' is missing in [{section}]",)


@pytest.mark.parametrize("section", SCHEMA)
def test_a_section_has_exactly_the_keys_of_its_settings(section: str) -> None:
    """The table and the settings class name the same keys, in the same order."""
    assert list(SCHEMA[section]) == list(get_type_hints(SETTINGS[section]))


@pytest.mark.parametrize(("section", "key"), [one for one in KEYS if SCHEMA[one[0]][one[1]].default is not None])
def test_a_default_is_allowed(section: str, key: str) -> None:
    """Every default passes its own check."""
    assert SCHEMA[section][key].check(SCHEMA[section][key].default) is None


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1/a", "http://[::1]:9", "https://a.test/v3"]
)
def test_plain_http_is_for_this_machine(url: str, tmp_path: Path) -> None:
    """https goes anywhere; http to this machine, where the sandbox is."""
    text, _ = with_line("kibo", f'home_url = "{url}///"')
    assert load_config(write(tmp_path, text), {}).kibo.home_url == url


def filled_in(example: str) -> str:
    """The example as an operator has filled it in."""
    return example.replace("your-application-key", "app.key").replace("your-api-key", "api-key")


def test_the_example_has_every_key_and_loads(tmp_path: Path) -> None:
    """The example file shows every key, set or commented out; with 0600 it loads, and gives the defaults."""
    text = (Path(__file__).parents[2] / "ccsync.toml.example").read_text()
    shown = {section: set[str]() for section in SCHEMA}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1 : line.index("]")]
        name, separator, _ = line.removeprefix("# ").partition(" = ")
        if separator and section in shown:
            shown[section].add(name)
    assert {one: set(keys) for one, keys in SCHEMA.items()} == {
        one: names & set(SCHEMA[one]) for one, names in shown.items()
    }
    config, least = load_config(write(tmp_path, filled_in(text)), {}), load_config(write(tmp_path, LEAST), {})
    assert (config.sync, config.limits, config.mapping, config.state) == (
        least.sync,
        least.limits,
        least.mapping,
        least.state,
    )


def test_the_example_loads_with_every_key_set(tmp_path: Path) -> None:
    """What is commented out in the example is right, too; of two ways to give a secret one is taken."""
    text = (Path(__file__).parents[2] / "ccsync.toml.example").read_text()
    lines = []
    for line in text.splitlines():
        is_key = line.startswith('# "cf:') or (line.startswith("# ") and " = " in line and line[2:3].islower())
        lines.append(line[2:] if is_key and not line.startswith(("# client_secret", "# A line")) else line)
    config = load_config(write(tmp_path, filled_in("\n".join(lines))), {})
    assert config.sync.list_name == "Web shop customers"
    assert config.mapping["cf:kibo_id"] == "id"
    assert config.constant_contact.redirect_uri == "http://localhost:8484/callback"


WELL = {
    "tenant_id": "7", "interval_minutes": "30", "max_opt_outs": "5", "requests_per_second": "4",
    "requests_per_day": "9000", "reserve_per_day": "400", "kibo_requests_per_second": "5", "keep_days": "9",
    "client_secret_command": '["pass", "show"]', "flow": '"device"', "opt_out": '"unsubscribe"', "path": '"x.db"',
    "from_email": '"a@example.com"', "reply_to_email": '"a@example.com"', "enabled": "true", "welcome_email": "true",
    "list_departures": "false", "resubscribes": "false", "overwrite_existing": "true",
}  # fmt: skip


def well(key: str) -> str:
    """A value that the key may have."""
    return '"https://shop.test"' if key.endswith(("_url", "_uri")) else WELL.get(key, '"some-text"')


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_key_that_stands_twice_names_both_lines(section: str, key: str, tmp_path: Path) -> None:
    """The second line is the problem, and the first is told; nothing of the values is."""
    text, first = with_line(section, f"{key} = {well(key)}")
    assert load_config(write(tmp_path, text), {})
    lines = text.splitlines()
    lines.insert(first, f"{key} = {well(key)}")
    (told,) = problems(tmp_path, "\n".join(lines) + "\n")
    assert told == f"ccsync.toml:{first + 1}: '{key}' stands twice, first in line {first}"


@pytest.mark.parametrize(("section", "key"), KEYS)
def test_a_line_from_windows_keeps_its_number(section: str, key: str, tmp_path: Path) -> None:
    """A byte order mark and CRLF shift no line; a line in latin-1 is told with its number."""
    text, line = with_line(section, f"{key} = {{}}")
    data = b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    (told,) = problems(tmp_path, data)
    assert told.startswith(f"ccsync.toml:{line}: '{key}' in [{section}] must be ")
    text, line = with_line(section, f"{key} = {well(key)} # Stra\xdfe")
    assert load_config(write(tmp_path, text), {})
    (told,) = problems(tmp_path, text.encode("latin-1"))
    assert told == f"ccsync.toml:{line}: this line has another encoding"
