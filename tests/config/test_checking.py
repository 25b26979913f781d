"""Whatever is wrong in a config file is told, all of it at once, with its line and what would mend it."""

from pathlib import Path

import pytest

from tests.config.files import LEAST, SECRET, WITH_SECRET, load, problems, refusal


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """One run of the operator's editor is enough: every problem has its line, missing keys too."""
    text = '[kibo]\ntenant_id = "7"\n[sync]\nlits_id = "x"\nenabled = 1\n[limts]\nrequest_per_day = 5\n'
    error = refusal(tmp_path, text)
    assert error.what == f"{tmp_path}/ccsync.toml has 7 problems."
    assert error.problems == (
        "ccsync.toml:1: 'client_id' is missing in [kibo]",
        "ccsync.toml:2: 'tenant_id' in [kibo] must be a whole number from 1 to 2,147,483,647",
        "ccsync.toml:4: unknown key 'lits_id' in [sync]; did you mean 'list_id'?",
        "ccsync.toml:5: 'enabled' in [sync] must be true or false",
        "ccsync.toml:6: unknown section [limts]; did you mean [limits]?",
        "ccsync.toml:7: unknown key 'request_per_day' in [limits]; did you mean 'requests_per_day'?",
        "ccsync.toml: 'client_id' is missing in [constant_contact]",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[snyc]", "unknown section [snyc]; did you mean [sync]?"),
        ("[Constant-Contact]", "unknown section [Constant-Contact]; did you mean [constant_contact]?"),
        (
            "[qqqq]",
            "unknown section [qqqq]; allowed are [kibo], [constant_contact], ",
        ),
        ("[sync]\nfirst_name = 'x'", "unknown key 'first_name' in [sync]; it belongs in [mapping]"),
        ("[sync]\n'cf:x' = 'x'", "unknown key 'cf:x' in [sync]; it belongs in [mapping]"),
        ("[limits]\nlits_id = 'x'", "unknown key 'lits_id' in [limits]; did you mean 'list_id' in [sync]?"),
        ("[[sync]]", "[sync] must be one section: a line [sync], and its keys below"),
        ("[state]\nqqqq = 1", "unknown key 'qqqq' in [state]; allowed are path, keep_days"),
        ("[sync.deep]", "unknown key 'deep' in [sync]; allowed are "),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_the_nearest(line: str, told: str, tmp_path: Path) -> None:
    """Unknown sections and keys name what is near, where it belongs, or what is allowed."""
    (only,) = problems(tmp_path, f"{LEAST}{line}\n")
    assert only.startswith(f"ccsync.toml:{7 + line.count(chr(10))}: {told}")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("tenant_id = 5", "'tenant_id' stands before the first section; it belongs in [kibo]"),
        ("lits_id = 5", "'lits_id' stands before the first section; did you mean 'list_id' in [sync]?"),
        ("qqqq = 5", "unknown key 'qqqq' before the first section"),
    ],
)
def test_a_key_before_the_first_section_is_told_its_own(line: str, told: str, tmp_path: Path) -> None:
    """A key above all sections is sent to the right one."""
    assert f"ccsync.toml:1: {told}" in problems(tmp_path, f"{line}\n{LEAST}")


def test_lines_are_right_after_anything_that_looks_like_toml(tmp_path: Path) -> None:
    """Texts and lists over several lines, odd line breaks and quoted names do not shift the line numbers."""
    text = (
        LEAST + 'client_secret_command = [ # [x]\n  "a]",\n  \'b"\', # ]\n]\n'
        '[ "sync" ] # list_id = 1\nlist_name = """\n[limits]\nenabled = 7 \\""" ""\\"\n"""\n'
        "# \u2028 \u0085 no line breaks\n 'from_email' = '''x\n[state]'''\nenabled = 7\n[ mapping ]\n\"cf:a = b\" = 7\n"
    )
    told = problems(tmp_path, text)
    lines = text.split("\n")
    numbers = [int(one.split(":")[1]) for one in told]
    assert [lines[number - 1][:6] for number in numbers] == [" 'from", "enable", '"cf:a ']


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('client_id = "again"', "'client_id' stands twice, first in line 6"),
        ("[kibo]", "[kibo] stands twice, first in line 1"),
        ('flow = "dev', "Illegal character '\\n'"),
        ("flow = device", "Invalid value"),
        ('[mapping]\ncf:x = "id"', "Expected '=' after a key in a key/value pair; a key with a colon goes in quotes"),
        ("flow", "Expected '=' after a key"),
    ],
)
def test_bad_toml_has_its_line_and_reason(line: str, told: str, tmp_path: Path) -> None:
    """What is not TOML, a key given twice included, is told with the line and the reason."""
    error = refusal(tmp_path, f"{LEAST}{line}\n# end\n")
    assert "not valid TOML" in error.what
    assert error.problems[0].startswith(f"ccsync.toml:{7 + line.count(chr(10))}: {told}")


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 100_000, LEAST + "[sync]\ninterval_minutes = " + "9" * 5_000, 'x = """', "\x00", "a\rb"]
)
def test_toml_that_breaks_the_parser_is_refused(text: str, tmp_path: Path) -> None:
    """Deep nesting, endless numbers and texts, and control characters are errors like any other."""
    assert len(problems(tmp_path, text)) == 1


def test_an_error_in_toml_does_not_show_a_secret(tmp_path: Path) -> None:
    """A secret with its quote missing is not repeated in the error."""
    refusal(tmp_path, LEAST + f"client_secret = {SECRET}\n")
    refusal(tmp_path, LEAST + f'client_secret = "{SECRET}\n')
    refusal(tmp_path, LEAST.encode() + f'client_secret = "{SECRET}\xe9"\n'.encode("latin-1"))
    refusal(tmp_path, WITH_SECRET + f'client_secrets = "{SECRET}"\n[sync]\nlist_id = ["{SECRET}"]\n')


@pytest.mark.parametrize("change", [lambda b: b"\xef\xbb\xbf" + b, lambda b: b.replace(b"\n", b"\r\n")])
def test_files_from_windows_are_read(change, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """A UTF-8 byte order mark and CRLF line ends are no problem, and do not shift line numbers."""
    assert load(tmp_path, change(LEAST.encode())).kibo.client_id == "app.key"
    told = problems(tmp_path, change((LEAST + "[sync]\nenabled = 1\n").encode()))
    assert told == ("ccsync.toml:8: 'enabled' in [sync] must be true or false",)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_another_encoding_is_told_to_be_saved_as_utf_8(encoding: str, tmp_path: Path) -> None:
    """A file in latin-1 or UTF-16 says so with its line, and how to mend it."""
    error = refusal(tmp_path, f"{LEAST}[sync]\nlist_name = 'Caf\xe9'\n".encode(encoding))
    assert error.problems == (f"ccsync.toml:{8 if encoding == 'latin-1' else 1}: this line has another encoding",)
    assert error.fix == "Save it as UTF-8."


def test_an_empty_file_misses_its_required_keys(tmp_path: Path) -> None:
    """An empty file says what it must have."""
    assert problems(tmp_path, "") == (
        "ccsync.toml: 'tenant_id' is missing in [kibo]",
        "ccsync.toml: 'client_id' is missing in [kibo]",
        "ccsync.toml: 'client_id' is missing in [constant_contact]",
    )


@pytest.mark.parametrize("flow", ["pkce", "code"])
def test_a_flow_through_the_browser_needs_its_redirect(flow: str, tmp_path: Path) -> None:
    """pkce and code come back to redirect_uri; device does not."""
    told = problems(tmp_path, f'{LEAST}flow = "{flow}"\n')
    assert told == (f"ccsync.toml:7: flow = \"{flow}\" needs 'redirect_uri' in [constant_contact]",)
    assert load(tmp_path, f'{LEAST}flow = "device"\n').constant_contact.redirect_uri is None


def test_one_secret_has_one_source(tmp_path: Path) -> None:
    """A secret and a command for it contradict each other, with either vendor."""
    text = WITH_SECRET.replace("client_id", 'client_secret_command = ["a"]\nclient_id', 1)
    (told,) = problems(tmp_path, text)
    assert told.endswith("[kibo] has both client_secret and client_secret_command")
    (told,) = problems(tmp_path, LEAST + 'client_secret = "a"\nclient_secret_command = ["a"]\n')
    assert told.endswith("[constant_contact] has both client_secret and client_secret_command")


@pytest.mark.parametrize(
    ("lines", "number"),
    [("reserve_per_day = 10000", 8), ("requests_per_day = 500", 8), ("requests_per_day = 5\nreserve_per_day = 5", 9)],
)
def test_the_reserve_is_part_of_the_day(lines: str, number: int, tmp_path: Path) -> None:
    """The reserve must leave some of the day's requests; the line that breaks this is named."""
    (told,) = problems(tmp_path, f"{LEAST}[limits]\n{lines}\n")
    assert told.startswith(f"ccsync.toml:{number}: 'reserve_per_day' (")


def test_the_example_s_placeholders_count_as_missing(tmp_path: Path) -> None:
    """Whoever copies the example and fills in nothing is told all four lines; a secret may come from elsewhere."""
    example = (Path(__file__).parents[2] / "ccsync.toml.example").read_text()
    found = problems(tmp_path, example)
    assert [one.partition(": ")[2].partition(":")[0] for one in found] == [
        "'tenant_id' is missing in [kibo]",
        "'client_id' is missing in [kibo]",
        "'client_secret' is missing in [kibo]",
        "'client_id' is missing in [constant_contact]",
    ]
    filled = example.replace("your-application-key", "app.key").replace("your-api-key", "api-key")
    config = load(tmp_path, filled)
    assert config.kibo.tenant_id == 12345
    assert config.kibo.client_secret is None
