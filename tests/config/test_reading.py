"""The config file is found, read, and refused with all its problems at once."""

import os
from pathlib import Path

import pytest

from ccsync.config.reading import find_config, load_config
from ccsync.config.schema import DEFAULT_MAPPING
from ccsync.errors import ConfigError
from tests.config.files import LEAST, NOBODY, SECRET, WITH_SECRET, load, plain_user, problems, refusal, write


def place(folder: Path, *names: str) -> Path:
    path = folder.joinpath(*names, "ccsync.toml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(LEAST)
    return path


# where it is


def test_the_first_place_that_has_a_file_wins(tmp_path: Path) -> None:
    """--config, $CCSYNC_CONFIG, the working directory, $XDG_CONFIG_HOME, in this order."""
    option, variable, here, xdg = (place(tmp_path, name) for name in ("option", "variable", "here", "xdg/ccsync"))
    environ = {"CCSYNC_CONFIG": str(variable), "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    assert find_config(option, environ, here.parent) == option
    assert find_config(None, environ, here.parent) == variable
    del environ["CCSYNC_CONFIG"]
    assert find_config(None, environ, here.parent) == here
    here.unlink()
    assert find_config(None, environ, here.parent) == xdg


def test_the_home_has_its_place_when_xdg_says_nothing_usable(tmp_path: Path) -> None:
    """$HOME/.config is looked at when $XDG_CONFIG_HOME is unset, empty or relative."""
    path = place(tmp_path, ".config", "ccsync")
    for environ in ({}, {"XDG_CONFIG_HOME": ""}, {"XDG_CONFIG_HOME": "relative"}):
        assert find_config(None, {"HOME": str(tmp_path), **environ}, tmp_path / "elsewhere") == path


def test_named_paths_are_relative_to_the_working_directory(tmp_path: Path) -> None:
    """`--config ccsync.toml` is the file in the directory the command runs in."""
    path = place(tmp_path)
    assert find_config(Path("ccsync.toml"), {}, tmp_path) == path
    assert find_config(None, {"CCSYNC_CONFIG": "ccsync.toml"}, tmp_path) == path


def test_without_a_file_every_place_is_named(tmp_path: Path) -> None:
    """No config at all: the error names the places looked at, and what to do."""
    with pytest.raises(ConfigError) as caught:
        find_config(None, {"HOME": "/nowhere"}, tmp_path)
    for path in (f"{tmp_path}/ccsync.toml", "/nowhere/.config/ccsync/ccsync.toml", "/etc/ccsync/ccsync.toml"):
        assert path in caught.value.why
    assert "ccsync init" in caught.value.fix
    assert "--config" in caught.value.fix


def test_without_a_home_no_relative_place_is_looked_at(tmp_path: Path) -> None:
    """Under `env -i` only absolute places are left."""
    with pytest.raises(ConfigError) as caught:
        find_config(None, {}, tmp_path)
    assert caught.value.why == f"looked for {tmp_path}/ccsync.toml, /etc/ccsync/ccsync.toml."


@pytest.mark.parametrize("by", ["--config", "$CCSYNC_CONFIG"])
def test_a_named_file_that_is_missing_is_the_error(by: str, tmp_path: Path) -> None:
    """A named file that does not exist is never replaced by another one."""
    place(tmp_path)
    environ = {"CCSYNC_CONFIG": "other.toml"} if by.startswith("$") else {}
    with pytest.raises(ConfigError, match=r"other\.toml") as caught:
        find_config(None if environ else Path("other.toml"), environ, tmp_path)
    assert by in caught.value.why


def test_a_place_this_user_may_not_enter_is_passed_over(tmp_path: Path) -> None:
    """A working directory that is closed to cron's user does not hide its own config."""
    with plain_user() as folder:
        closed, xdg = folder / "closed", place(folder, "xdg", "ccsync")
        closed.mkdir(mode=0o000)
        assert find_config(None, {"XDG_CONFIG_HOME": str(folder / "xdg")}, closed) == xdg
        with pytest.raises(ConfigError, match="no config file") as caught:
            find_config(None, {}, closed)
        assert f"{closed}/ccsync.toml (no permission)" in caught.value.why
        closed.chmod(0o700)


def test_a_link_to_nothing_is_not_passed_over(tmp_path: Path) -> None:
    """A broken link in the first place is told; the next place's config may be another shop's."""
    place(tmp_path, "xdg", "ccsync")
    link = tmp_path / "ccsync.toml"
    link.symlink_to("gone.toml")
    assert find_config(None, {"XDG_CONFIG_HOME": str(tmp_path / "xdg")}, tmp_path) == link
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        load_config(link, {})
    assert "link to a file that does not exist" in caught.value.why


# what it says


def test_a_file_with_the_least_gives_the_defaults(tmp_path: Path) -> None:
    """Three keys are enough; everything else has its documented default."""
    config = load(tmp_path)
    assert config.path == tmp_path / "ccsync.toml"
    assert (config.kibo.tenant_id, config.kibo.home_url) == (12345, "https://home.mozu.com")
    assert config.kibo.event_url == config.kibo.home_url
    assert config.kibo.tenant_url is None
    assert (config.sync.enabled, config.sync.list_id, config.sync.opt_out) == (True, None, "remove-from-list")
    assert (config.limits.requests_per_second, config.limits.kibo_requests_per_second) == (4, 5)
    assert config.mapping == DEFAULT_MAPPING
    assert (config.state.path, config.state.keep_days) == (tmp_path / "ccsync.db", 90)


def test_a_mapping_is_taken_as_it_is(tmp_path: Path) -> None:
    """A [mapping] section replaces the built-in one, even when it is empty."""
    assert load(tmp_path, LEAST + '[mapping]\n"cf:x" = "id"\n').mapping == {"cf:x": "id"}
    assert load(tmp_path, LEAST + "[mapping]\n").mapping == {}


@pytest.mark.parametrize("line", ['first_name = ""', 'first_name = " "', "first_name = 3", '"" = "id"', "a = ['b']"])
def test_a_mapping_is_of_texts(line: str, tmp_path: Path) -> None:
    """Both sides of a mapping are texts that are not empty."""
    (told,) = problems(tmp_path, f"{LEAST}[mapping]\n{line}\n")
    assert told.startswith("ccsync.toml:8: ")
    assert "must be the name of a Kibo field" in told


def test_a_command_becomes_a_tuple_and_a_redirect_stays_exact(tmp_path: Path) -> None:
    """Slashes at the end go from base URLs only: the portal compares the redirect letter by letter."""
    text = LEAST + 'flow = "pkce"\nredirect_uri = "http://localhost:8484/cb/"\napi_url = "https://api.test/v3/"\n'
    config = load(tmp_path, text + 'client_secret_command = ["pass", "", "x"]\n')
    assert config.constant_contact.redirect_uri == "http://localhost:8484/cb/"
    assert config.constant_contact.api_url == "https://api.test/v3"
    assert config.constant_contact.client_secret_command == ("pass", "", "x")


def test_the_state_file_has_three_ways_to_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$CCSYNC_STATE (from the working directory), else [state] path (from the config file), else beside it."""
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    path = write(tmp_path, LEAST + '[state]\npath = "data/../my.db"\n')
    assert load_config(path, {}).state.path == tmp_path / "my.db"
    assert load_config(Path("../ccsync.toml"), {}).state.path == tmp_path / "my.db"
    assert load_config(path, {"CCSYNC_STATE": "my.db"}).state.path == tmp_path / "there" / "my.db"
    assert load_config(path, {"CCSYNC_STATE": "/var/lib/my.db"}).state.path == Path("/var/lib/my.db")


def test_the_state_file_is_beside_a_link_to_the_config(tmp_path: Path) -> None:
    """The link's folder counts, not that of the config it leads to; a whole path counts anywhere."""
    for name in ("real", "linked"):
        (tmp_path / name).mkdir()
    link = tmp_path / "linked" / "ccsync.toml"
    link.symlink_to(write(tmp_path / "real", LEAST))
    assert load_config(link, {}).state.path == tmp_path / "linked" / "ccsync.db"
    write(tmp_path / "real", f'{LEAST}[state]\npath = "{tmp_path}/my.db"\n')
    assert load_config(link, {}).state.path == tmp_path / "my.db"


def test_two_names_of_one_state_file_are_one_path(tmp_path: Path) -> None:
    """Links are followed, so that two runs meet in one lock."""
    (tmp_path / "link.db").symlink_to("real.db")
    text = LEAST + '[state]\npath = "link.db"\n'
    assert load(tmp_path, text).state.path == tmp_path / "real.db"


@pytest.mark.parametrize("value", ["~no-such-user-here/my.db", "ring"])
def test_a_state_path_that_leads_nowhere_is_an_error(value: str, tmp_path: Path) -> None:
    """A home that does not exist, and links in a ring, are told and not a traceback."""
    (tmp_path / "ring").symlink_to("ring")
    assert "leads nowhere" in refusal(tmp_path, f'{LEAST}[state]\npath = "{value}"\n').what


def test_a_secret_is_not_in_the_repr(tmp_path: Path) -> None:
    """Printing the settings shows no secret."""
    config = load(tmp_path, WITH_SECRET)
    assert config.kibo.client_secret == SECRET
    assert SECRET not in repr(config)


# who may read it


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
@pytest.mark.parametrize("text", [WITH_SECRET, LEAST + f'client_secret = "{SECRET}"\n'])
def test_a_secret_that_others_may_read_is_refused_with_its_chmod(mode: int, text: str, tmp_path: Path) -> None:
    """A file with either vendor's secret is its owner's alone; the fix can be pasted."""
    folder = tmp_path / "my shop's"
    folder.mkdir()
    error = refusal(folder, text, mode)
    assert error.what == f"The config file {folder}/ccsync.toml holds a secret and others may read it."
    assert error.fix.startswith("chmod 600 ")
    assert os.system(error.fix) == 0  # noqa: S605 - the operator pastes it into a shell
    assert load_config(folder / "ccsync.toml", {}).kibo.tenant_id == 12345


def test_a_plain_file_may_be_read_by_all(tmp_path: Path) -> None:
    """Without a secret in it, the file is nobody's secret; a command for one is none."""
    assert load(tmp_path, LEAST + 'client_secret_command = ["pass"]\n', 0o644).kibo.client_secret is None


def test_an_exposed_secret_is_told_among_other_problems(tmp_path: Path) -> None:
    """Wrong keys do not hide that the secret, misplaced as it may be, is open to all."""
    error = refusal(tmp_path, f'{LEAST}[sync]\nclient_secret = "{SECRET}"\n', 0o644)
    assert len(error.problems) == 2
    assert error.problems[1].endswith(f"others may read it: chmod 600 {tmp_path}/ccsync.toml")


def test_a_link_is_judged_by_its_target(tmp_path: Path) -> None:
    """A link's own mode says nothing."""
    target = write(tmp_path, WITH_SECRET, 0o644)
    (tmp_path / "link.toml").symlink_to(target)
    with pytest.raises(ConfigError, match="holds a secret"):
        load_config(tmp_path / "link.toml", {})


def test_a_file_this_user_may_not_read_says_so(tmp_path: Path) -> None:
    """Permission denied is told with the path."""
    with plain_user() as folder:
        error = refusal(folder, LEAST, 0o000)
    assert (error.what, error.why) == (f"The config file {folder}/ccsync.toml cannot be read.", "Permission denied.")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_may_read_anybodys_secret(tmp_path: Path) -> None:
    """`sudo ccsync configure` works on the file of the user that cron runs as."""
    path = write(tmp_path, WITH_SECRET)
    os.chown(path, NOBODY, NOBODY)
    assert load_config(path, {}).kibo.client_secret == SECRET


def test_a_folder_is_no_config_file(tmp_path: Path) -> None:
    """--config with a folder says to name the file in it."""
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        load_config(tmp_path, {})
    assert caught.value.fix.endswith(f"--config {tmp_path}/ccsync.toml")


def test_a_path_with_anything_in_it_works(tmp_path: Path) -> None:
    """Blanks, other scripts and line breaks in the folder's name are no problem."""
    folder = tmp_path / "Kunden\nŁódź \u4e2d"
    folder.mkdir()
    assert load(folder).state.path == folder / "ccsync.db"
