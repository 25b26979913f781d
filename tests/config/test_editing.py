"""`edit_config` changes the values it must, and nothing else in the file."""

import os
import random
import tomllib
from pathlib import Path

import pytest

from ccsync.config.editing import Change, Value, check_edit, edit_config
from ccsync.errors import ConfigError
from tests.config.files import LEAST, NOBODY, SECRET, plain_user, write

EXAMPLE = (Path(__file__).parents[2] / "ccsync.toml.example").read_text()


def edited(folder: Path, before: str, *changes: Change) -> str:
    """The file after the changes, which are all in it."""
    path = write(folder, before)
    edit_config(path, changes)
    with path.open(newline="") as file:
        after = file.read()
    document = tomllib.loads(after)
    for change in changes:
        assert document.get(change.section, {}).get(change.key) == change.value
    return after


def refused(path: Path, *changes: Change) -> ConfigError:
    """The error; the file, its mode and its folder are as before."""
    before = path.read_bytes(), path.stat().st_mode, sorted(path.parent.iterdir())
    with pytest.raises(ConfigError) as caught:
        edit_config(path, changes)
    assert (path.read_bytes(), path.stat().st_mode, sorted(path.parent.iterdir())) == before
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        ("[sync]\nenabled = true   # why\n", ("sync", "enabled", False), "[sync]\nenabled = false   # why\n"),
        ("[sync]\n  enabled=true#why\n", ("sync", "enabled", False), "[sync]\n  enabled=false#why\n"),
        ("[sync]\nlist_id = 'a # b' # c\n", ("sync", "list_id", "x"), '[sync]\nlist_id = "x" # c\n'),
        ("[sync]\nlist_id = 'x'\n", ("sync", "list_id", "x"), "[sync]\nlist_id = 'x'\n"),
        ("[sync]\nenabled = 1\n", ("sync", "enabled", True), "[sync]\nenabled = true\n"),
        ("[limits]\nx = 4\n", ("limits", "x", 4.0), "[limits]\nx = 4.0\n"),
        ('[mapping]\n"cf:x" = "a"\n', ("mapping", "cf:x", "b"), '[mapping]\n"cf:x" = "b"\n'),
        ("[mapping]\n'cf:x' = 'a'\n", ("mapping", "cf:x", "b"), "[mapping]\n'cf:x' = \"b\"\n"),
        ("[mapping]\n", ("mapping", "cf:x", "b"), '[mapping]\n"cf:x" = "b"\n'),
        ("[kibo]\nk = [ # a\n 'x', # b\n] # c\nz = 1\n", ("kibo", "k", "y"), '[kibo]\nk = "y" # c\nz = 1\n'),
        ('[kibo]\nk = """\n[sync]\nk = 2""" # c\n', ("kibo", "k", "y"), '[kibo]\nk = "y" # c\n'),
        ("[kibo]\nk = 1", ("kibo", "k", 2), "[kibo]\nk = 2"),
        (
            "[kibo]\nk = 1 # \u2028 \u0085\n",
            ("kibo", "k", 2),
            "[kibo]\nk = 2 # \u2028 \u0085\n",
        ),
        ("[a]\nk = 1\n[b]\nk = 1\n", ("b", "k", 2), "[a]\nk = 1\n[b]\nk = 2\n"),
    ],
)
def test_a_value_is_replaced_where_it_stands(
    before: str, change: tuple[str, str, Value], after: str, tmp_path: Path
) -> None:
    """Only the value's own characters change: blanks, quotes of the key and comments beside it stay."""
    assert edited(tmp_path, before, Change(*change)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a]\nx = 1\n\n# of b\n[b]\n", "[a]\nx = 1\nk = 2\n\n# of b\n[b]\n"),
        ("[a] # c\n\n# of b\n[b]\n", "[a] # c\nk = 2\n\n# of b\n[b]\n"),
        ("[a]\n  x = [\n  1,\n]\n[b]\n", "[a]\n  x = [\n  1,\n]\n  k = 2\n[b]\n"),
        ("[a]\nx = 1", "[a]\nx = 1\nk = 2\n"),
        ("[a]", "[a]\nk = 2\n"),
        ("[b]\nk = 1\n", "[b]\nk = 1\n\n[a]\nk = 2\n"),
        ("[b]\nk = 1", "[b]\nk = 1\n\n[a]\nk = 2\n"),
        ("# only a comment\n", "# only a comment\n\n[a]\nk = 2\n"),
        ("", "[a]\nk = 2\n"),
        ("[a]\r\nx = 1\r\n\r\n[b]\r\n", "[a]\r\nx = 1\r\nk = 2\r\n\r\n[b]\r\n"),
        ("[b]\r\n", "[b]\r\n\r\n[a]\r\nk = 2\r\n"),
    ],
)
def test_a_new_key_goes_below_the_last_of_its_section(before: str, after: str, tmp_path: Path) -> None:
    """It stands before the blank lines and comments of the next section; a missing section goes to the end."""
    assert edited(tmp_path, before, Change("a", "k", 2)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[a]\n# above\nk = 1 # beside\n# below\nx = 1\n", "[a]\n# above\n# below\nx = 1\n"),
        ("[a]\nk = [\n 1,\n] # c\n", "[a]\n"),
        ("[a]\nx = 1\nk = 1", "[a]\nx = 1\n"),
        ("[a]\nx = 1\n", "[a]\nx = 1\n"),
        ("[b]\nk = 1\n", "[b]\nk = 1\n"),
    ],
)
def test_a_key_is_removed_with_its_lines(before: str, after: str, tmp_path: Path) -> None:
    """The comments around it stay; removing what is not there changes nothing."""
    assert edited(tmp_path, before, Change("a", "k", None)) == after


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_other_line_of_a_commented_file_survives(end: str, mark: str, tmp_path: Path) -> None:
    """In the example file, with either line end and a byte order mark, one change is one line's change."""
    before = mark + EXAMPLE.replace("\n", end)
    path = write(tmp_path, before)
    edit_config(path, [Change("sync", "opt_out", "unsubscribe"), Change("sync", "list_name", 'Ünï "x"\n# [no]')])
    after = path.read_bytes().decode()
    old, new = before.split("\n"), after.split("\n")
    assert [one for one in old if one not in new] == [one for one in old if one.startswith("opt_out =")]
    assert len(new) == len(old) + 1
    assert after.startswith(mark)
    assert after.count("\r") == (after.count("\n") if end == "\r\n" else 0)
    assert tomllib.loads(after.removeprefix(mark))["sync"]["list_name"] == 'Ünï "x"\n# [no]'


@pytest.mark.parametrize("seed", range(40))
def test_any_changes_to_any_file_give_what_was_meant(seed: int, tmp_path: Path) -> None:
    """Random changes, one after the other, leave every comment of lines they do not remove."""
    chance = random.Random(seed)
    values: list[Value | None] = [True, False, 3, 2.5, "a", 'q"\\', "x # y", "[z]", "l\nm", "", "\u2028", None]
    text = EXAMPLE
    for _ in range(6):
        section = chance.choice(["kibo", "sync", "limits", "mapping", "state", "new"])
        known = list(tomllib.loads(text).get(section, {}))
        key = chance.choice([*known, "cf:new field", "new", 'quote"d'])
        text = edited(tmp_path, text, Change(section, key, chance.choice(values)))
    alone = [line for line in EXAMPLE.splitlines() if line.startswith("#")]
    assert [line for line in text.split("\n") if line in alone] == alone


def test_nothing_to_change_writes_nothing(tmp_path: Path) -> None:
    """The same values again leave the file alone, to its time stamp."""
    path = write(tmp_path, EXAMPLE)
    os.utime(path, ns=(1, 1))
    edit_config(path, [Change("sync", "enabled", True), Change("sync", "list_id", None)])
    edit_config(path, [])
    assert path.stat().st_mtime_ns == 1


@pytest.mark.parametrize(
    "text", ["sync = {enabled = true}\n", "sync.enabled = true\n", "[[sync]]\nenabled = true\n", "sync = 3\n"]
)
def test_a_file_that_cannot_be_changed_safely_is_left_alone(text: str, tmp_path: Path) -> None:
    """Where a section is not a plain section, the operator is asked to set the key by hand."""
    error = refused(write(tmp_path, text), Change("sync", "enabled", False))
    assert error.fix == "Set enabled in [sync] by hand."


@pytest.mark.parametrize("data", [b"[sync]\nx = \n", b"[sync]\nx = '\xe9'\n", b"[sync]\nx = 1\nx = 2\n"])
def test_a_file_that_cannot_be_read_is_left_alone(data: bytes, tmp_path: Path) -> None:
    """A file that is not TOML or not UTF-8 is told with its line, as on reading."""
    assert refused(write(tmp_path, data), Change("sync", "enabled", False)).problems


def test_a_text_that_no_file_can_hold_is_refused(tmp_path: Path) -> None:
    """Bytes of the command line that are not UTF-8 do not reach the file."""
    refused(write(tmp_path, LEAST), Change("sync", "list_name", "\udcff"))


def test_the_mode_stays_unless_there_is_a_secret(tmp_path: Path) -> None:
    """A plain file keeps its mode; a file with a secret becomes its owner's alone."""
    path = write(tmp_path, LEAST, 0o644)
    edit_config(path, [Change("sync", "enabled", True)])
    assert path.stat().st_mode & 0o777 == 0o644
    edit_config(path, [Change("kibo", "client_secret", SECRET)])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The target is written, beside which the new file is made."""
    (tmp_path / "real").mkdir()
    target, link = write(tmp_path / "real", LEAST), tmp_path / "link.toml"
    link.symlink_to("real/ccsync.toml")
    edit_config(link, [Change("sync", "enabled", False)])
    assert link.is_symlink()
    assert "enabled = false" in target.read_text()
    assert [path.name for path in target.parent.iterdir()] == ["ccsync.toml"]


@pytest.mark.parametrize("target", ["gone.toml", "link.toml"])
def test_a_link_that_leads_nowhere_is_told(target: str, tmp_path: Path) -> None:
    """A broken link, and one to itself, are errors, and no file is made."""
    link = tmp_path / "link.toml"
    link.symlink_to(target)
    with pytest.raises(ConfigError, match="cannot be read"):
        edit_config(link, [Change("sync", "enabled", False)])
    assert list(tmp_path.iterdir()) == [link]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """In a read-only folder nothing changes, and the error names the folder."""
    with plain_user() as folder:
        path = write(folder, LEAST)
        folder.chmod(0o500)
        error = refused(path, Change("sync", "enabled", False))
    assert error.why == "Permission denied."
    assert f"Make {folder} writable" in error.fix


def test_a_read_only_file_stays_as_it_is(tmp_path: Path) -> None:
    """Who took the write permission away meant it: renaming another file over it would get around that."""
    path = write(tmp_path, LEAST, 0o400)
    error = refused(path, Change("sync", "enabled", False))
    assert "is read-only" in error.what
    assert f"chmod u+w {path}" in error.fix


def test_a_check_tells_what_an_edit_would_meet_and_writes_nothing(tmp_path: Path) -> None:
    """Whoever first creates something elsewhere learns beforehand that the file cannot be changed."""
    path = write(tmp_path, LEAST)
    check_edit(path, [Change("sync", "enabled", False)])
    check_edit(path, [])
    assert path.read_text() == LEAST
    assert list(tmp_path.iterdir()) == [path]
    inline = write(tmp_path, "sync = {enabled = true}\n" + LEAST)
    with pytest.raises(ConfigError, match="cannot change safely"):
        check_edit(inline, [Change("sync", "enabled", False)])
    with plain_user() as folder:
        path = write(folder, LEAST)
        folder.chmod(0o500)
        with pytest.raises(ConfigError, match="cannot be written"):
            check_edit(path, [Change("sync", "enabled", False)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays(tmp_path: Path) -> None:
    """`sudo ccsync configure` does not take the file from the user that cron runs as."""
    path = write(tmp_path, LEAST)
    os.chown(path, NOBODY, NOBODY)
    edit_config(path, [Change("sync", "enabled", False)])
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_file_is_not_taken_over(tmp_path: Path) -> None:
    """Who may write the folder but does not own the file is told to run as its owner."""
    with plain_user() as folder:
        path = write(folder, LEAST, 0o644)
        os.seteuid(0)
        os.chown(path, 0, 0)
        os.seteuid(NOBODY)
        error = refused(path, Change("sync", "enabled", False))
    assert "belongs to another user" in error.what
