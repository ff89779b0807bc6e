"""How the code has to read; each rule keeps a mistake out that grows unseen."""

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
SOURCE = HOUSE / "src" / "handraise"
MODULES = sorted(SOURCE.rglob("*.py"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
NAMES_THAT_SAY_NOTHING = {"core", "util", "utils", "manager", "base", "common", "helper", "helpers"}
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|home|root|Users)/")
REGISTRY_HOST = re.compile(r"\bpypi\.org|pythonhosted\.org|registry\.npmjs\.org|\bartifactory\b", re.IGNORECASE)
MAY_NAME_HOSTS = {Path("uv.lock"), Path("tests/house/test_house_style.py")}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _name(module: Path) -> str:
    parts = module.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def _functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(_tree(module)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: explaining more must not be punished."""
    whole = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return whole
    docstring = function.body[0]
    return whole - ((docstring.end_lineno or 0) - docstring.lineno + 1)


def _text_files() -> list[Path]:
    """Every file that git tracks or would track, and that holds text."""
    if not (HOUSE / ".git").exists():
        pytest.skip("not a git checkout, so nothing says which files belong to the project")
    git = shutil.which("git")
    assert git, "git is needed to know which files belong to the project"
    listed = subprocess.run(  # noqa: S603 - fixed arguments
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOUSE,
        check=True,
        capture_output=True,
    )
    paths = [HOUSE / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _import_graph() -> dict[str, set[str]]:
    """Module → modules it imports, wherever in the file the import stands."""
    known = {_name(module) for module in MODULES}

    def resolve(wanted: str) -> str | None:
        return wanted if wanted in known else next((m for m in [wanted.rpartition(".")[0]] if m in known), None)

    found = {_name(module): {resolve(wanted) for wanted in _imports(_tree(module))} for module in MODULES}
    return {name: {i for i in imported if i and i != name} for name, imported in found.items()}


def test_modules_are_short() -> None:
    lengths = {_name(module): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_functions_are_short() -> None:
    long = {f"{_name(m)}.{f.name}": _lines(f) for m in MODULES for f in _functions(m) if _lines(f) > LONGEST_FUNCTION}
    assert long == {}


def test_names_of_folders_and_modules_say_what_they_hold() -> None:
    paths = [path.relative_to(SOURCE) for path in SOURCE.rglob("*") if path.is_dir() or path.suffix == ".py"]
    assert [path for path in paths if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_nothing_is_printed_past_the_command_line() -> None:
    calls = [
        f"{_name(module)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


def test_no_work_is_left_behind_as_a_comment() -> None:
    left = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
    assert [path for path in SOURCE.rglob("*.py") if left.search(path.read_text(encoding="utf-8"))] == []


def test_no_import_goes_in_a_circle() -> None:
    graph = _import_graph()
    assert any(graph.values()), "the check found no import at all"
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' -> '.join(error.args[1])}")


def test_public_functions_and_classes_are_explained() -> None:
    silent = [
        f"{_name(module)}.{node.name}"
        for module in MODULES
        for node in _tree(module).body
        if isinstance(node, Definition) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_file_depends_on_one_machine() -> None:
    found = [
        f"{path.relative_to(HOUSE)}:{number}: {line.strip()[:80]}"
        for path in _text_files()
        if path.relative_to(HOUSE) not in MAY_NAME_HOSTS
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if MACHINE_PATH.search(line) or REGISTRY_HOST.search(line)
    ]
    assert found == []
