"""The few rules of the house that a linter does not know (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MOST_LINES = 320
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "manager", "managers", "models", "base"}
DOING_IO = {
    "Client",
    "AsyncClient",
    "InferenceSession",
    "Lock",
    "RLock",
    "Session",
    "Thread",
    "ThreadPoolExecutor",
    "connect",
    "create_engine",
    "open",
    "start_http_server",
}


def modules(root: Path) -> Iterator[Path]:
    yield from sorted((root / "detector").rglob("*.py"))


def test_modules_stay_small(root: Path) -> None:
    sizes = {str(path.relative_to(root)): len(path.read_text("utf-8").splitlines()) for path in modules(root)}
    assert sizes
    assert {path: size for path, size in sizes.items() if size > MOST_LINES} == {}


def test_modules_are_named_after_what_they_hold(root: Path) -> None:
    badly = [str(p.relative_to(root)) for p in modules(root) if {p.stem, p.parent.name} & BANNED_NAMES]
    assert badly == []


def test_every_module_says_what_it_is(root: Path) -> None:
    silent = [str(p.relative_to(root)) for p in modules(root) if not ast.get_docstring(ast.parse(p.read_text("utf-8")))]
    assert silent == []


def calls_at_import(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls that importing the module makes: those outside functions and classes."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            continue
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Call):
            target = node.func
            name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
            yield node.lineno, name
        waiting.extend(ast.iter_child_nodes(node))


def test_importing_a_module_opens_and_starts_nothing(root: Path) -> None:
    found = [
        f"{path.relative_to(root)}:{line}: {name}"
        for path in modules(root)
        if "migrations" not in path.parts
        for line, name in calls_at_import(ast.parse(path.read_text("utf-8")))
        if name in DOING_IO
    ]
    assert found == []


@pytest.mark.parametrize("code", ["engine = create_engine('x')", "x = [httpx.Client()]", "if a:\n    f = open('x')"])
def test_the_search_for_calls_at_import_finds_them(code: str) -> None:
    assert {name for _, name in calls_at_import(ast.parse(code))} & DOING_IO


def test_what_runs_later_is_no_call_at_import() -> None:
    later = [
        "def f():\n    open('x')",
        "class A:\n    def g(self):\n        open('x')",
        "if __name__ == '__main__':\n    open('x')",
    ]
    assert list(calls_at_import(ast.parse("\n".join(later)))) == []


def test_the_product_speaks_of_itself_alone(root: Path) -> None:
    """No paths of one machine in what is committed."""
    words = ["/" + "/".join(parts) for parts in (["work", ""], ["var", "tmp", ""], ["root", ""], ["home", ""])]
    found = [
        f"{path.relative_to(root)}: {word}"
        for folder in ("detector", "configs", "scripts", "tests", "docs")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".sh", ""} and path.is_file()
        for word in words
        if word in path.read_text("utf-8", errors="replace")
    ]
    assert found == []
