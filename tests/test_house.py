"""The house: imports go down, never up or sideways, and the sandbox stands apart."""

import ast
import functools
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ccsync"
FLOORS = (
    {"errors"},
    {"clocks", "decoding", "words"},
    {"models"},
    {"shapes"},
    {"transport", "mapping", "config"},
    {"oauth"},
    {"kibo", "constant_contact", "state"},
    {"run"},
    {"consent"},
    {"from_kibo", "from_constant_contact"},
    {"to_constant_contact", "to_kibo"},
    {"reports", "campaigns"},
    {"jobs"},
    {"cli"},
    {"__main__"},
)
"""From the ground up. Rooms on one floor do not know each other: what is extracted from either vendor is apart until
it is loaded, and the loads do not know each other."""
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
FILES = sorted(PACKAGE.rglob("*.py"))
MOST_FILES = 15
BANNED = frozenset(
    [
        "told",
        "untold",
        "telling",
        "dealt",
        "looking",
        "needs",
        "parts",
        "others",
        "prospects",
        "settling",
        "greeting",
        "leavers",
        "discrepancies",
        "verdict",
        "set_aside",
        "books",
        "brake",
        "utils",
        "helpers",
        "common",
        "manager",
    ]
)
"""Words that say nothing at an import; see the glossary of the design."""
GONE = frozenset(
    ["told", "untold", "telling", "dealt", "prospects", "settle", "settled", "settling", "greeted", "greeting"]
)
GONE |= frozenset(["leavers", "discrepancies", "verdict", "verdicts", "books", "brake"])
"""Words of version 0.2 that no name may have in it any more: each stood for what the trade has a term for."""


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports_of(path: Path) -> list[tuple[str, int, bool]]:
    """(module, line, is at the top) of each import of ccsync in a file.

    What a function imports by its name, because few runs want it, counts as an import at the top: it is there to be
    late, and goes down the house all the same.
    """
    tree = ast.parse(path.read_text())
    found = [(name, line, True) for name, line in _late_imports_of(tree) if name.split(".")[0] == "ccsync"]
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: full names only"
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
            names = [name for name in names if name != "ccsync"]
        found += [(name, node.lineno, node in tree.body) for name in names if name.split(".")[0] == "ccsync"]
    return found


def _late_imports_of(tree: ast.Module) -> list[tuple[str, int]]:
    """(module, line) of each `import_module`; of a name that is put together, the package that it begins with."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    late = [node for node in calls if ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")]
    found = []
    for node in late:
        name = node.args[0]
        if isinstance(name, ast.JoinedStr):
            name = name.values[0]
            assert isinstance(name, ast.Constant), f"line {node.lineno}: imports a module of any package"
            assert str(name.value).endswith("."), f"line {node.lineno}: imports a module of any package"
        assert isinstance(name, ast.Constant), f"line {node.lineno}: imports a module that no reader can name"
        found.append((str(name.value).rstrip("."), node.lineno))
    return found


def test_late_imports_are_seen() -> None:
    """A module that is imported by its name is held to the same floors."""
    seen = {module_of(path): {name for name, _, _ in imports_of(path)} for path in FILES}
    assert "ccsync.cli.cron.monitor_ways" in seen["ccsync.cli.cron.monitor"]
    assert "ccsync.cli" in seen["ccsync.cli.app"]
    with pytest.raises(AssertionError, match="any package"):
        _late_imports_of(ast.parse('import_module(f"ccsync{name}")'))
    with pytest.raises(AssertionError, match="no reader"):
        _late_imports_of(ast.parse("importlib.import_module(name)"))


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    """A module imports from lower floors or its own package, by full names, at the top of the file."""
    room = room_of(module_of(path))
    for name, line, is_at_top in imports_of(path):
        other = room_of(name)
        assert is_at_top, f"{path.name}:{line} imports inside a function"
        if other in ("", "__version__", room):
            continue
        assert "sandbox" not in (room, other), f"{path.name}:{line}: the sandbox stands apart"
        assert LEVEL[other] < LEVEL[room], f"{path.name}:{line}: {room} may not import {other}"


def test_there_are_no_cycles() -> None:
    """No module reaches itself through its imports."""
    graph = {module_of(path): {name for name, _, _ in imports_of(path)} for path in FILES}
    modules = set(graph)
    edges = {module: {_nearest(name, modules) for name in names} - {module} for module, names in graph.items()}
    packages = {module_of(path) for path in FILES if path.name == "__init__.py"}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"cycle: {' > '.join((*path, module))}"
        if module in done:
            return
        for other in edges[module]:
            # A package's __init__ gathers its rooms' public names; rooms name each other in full.
            if not (other in packages and module.startswith(other + ".")):
                visit(other, (*path, module))
        done.add(module)

    for module in sorted(modules):
        visit(module, ())


def _nearest(name: str, modules: set[str]) -> str:
    while name not in modules:
        name = name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    """No file passes 300 lines; when one would, the design is asking for a room."""
    assert len(path.read_text().splitlines()) <= 300


def test_a_folder_can_be_held_in_mind() -> None:
    """No folder has more than about fifteen files: a stranger lists it and knows where to look."""
    folders = {path.parent for path in FILES}
    sizes = {str(one.relative_to(PACKAGE)): len([*one.glob("*.py")]) - 1 for one in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


def test_modules_have_the_trade_s_names() -> None:
    """No module has a name that says nothing at an import."""
    assert {path.stem for path in FILES} & BANNED == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_are_the_trade_s_terms(path: Path) -> None:
    """No function, class, attribute, parameter or variable has a word of version 0.2 in its name."""
    names = [(name, line) for name, line in _names_in(ast.parse(path.read_text()))]
    assert [f"{path.name}:{line}: {name}" for name, line in names if GONE & _words_of(name)] == []


def test_words_are_found_in_names() -> None:
    """However the words of a name are joined, and whatever it names."""
    tree = ast.parse("def tell(told): verdict: int = 1\nclass OldVerdicts: books = 2\nself.is_settled = 3\n_BRAKE = 4")
    assert [name for name, _ in _names_in(tree) if GONE & _words_of(name)] == [
        *("OldVerdicts", "is_settled", "_BRAKE", "told", "verdict", "books")
    ]


def _names_in(tree: ast.Module) -> list[tuple[str, int]]:
    """Every name that a file gives to something, with its line."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.append((node.name, node.lineno))
        elif isinstance(node, ast.arg):
            found.append((node.arg, node.lineno))
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.append((node.id if isinstance(node, ast.Name) else node.attr, node.lineno))
    return found


def _words_of(name: str) -> set[str]:
    return set(re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().split("_"))


FLOW = ("jobs", "reports", "to_kibo", "to_constant_contact", "from_constant_contact", "from_kibo", "consent", "run")


@pytest.mark.parametrize("path", [path for path in FILES if room_of(module_of(path)) in FLOW], ids=lambda p: p.name)
def test_the_flow_knows_no_sql_no_http_and_no_terminal(path: Path) -> None:
    """What a run decides is apart from how it is stored, sent and shown."""
    tree = ast.parse(path.read_text())
    names = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    names |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not names & {"click", "sqlite3", "requests", "tabulate", "time"}


def test_only_the_command_line_reads_the_clock_and_prints() -> None:
    """Time and words come in and go out through `cli`; the wire's own HTTP dates are the exception."""
    for path in FILES:
        room = room_of(module_of(path))
        if room in ("cli", "sandbox", "__main__"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit"), f"{path.name}:{node.lineno}"
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today", "monotonic"):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                assert owner not in ("datetime", "date", "time"), f"{path.name}:{node.lineno} reads the clock"
