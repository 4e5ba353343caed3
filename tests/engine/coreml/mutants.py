"""Runs tests on a module with one statement taken out at a time, and prints what nobody missed.

    python tests/engine/coreml/mutants.py MODULE TEST_FILE...

The tests are collected once. Each mutant is a forked process in which what the module defined is
replaced, wherever it was imported to, by what the mutant defines.
"""

from __future__ import annotations

import ast
import copy
import os
import signal
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

HANGS_S = 15


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def is_silent(statement: ast.stmt) -> bool:
    """A docstring and ``pass`` change nothing; that no import is missing or idle, ruff sees."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    return isinstance(statement, ast.Pass | ast.Import | ast.ImportFrom)


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Line and text of each statement, and the module without it; first the module as it is."""
    tree = ast.parse(source)
    yield "", tree
    for at, body in enumerate(list(bodies(tree))):
        for index, statement in enumerate(body):
            if is_silent(statement):
                continue
            changed = copy.deepcopy(tree)
            list(bodies(changed))[at][index] = ast.copy_location(ast.Pass(), statement)
            yield f"{statement.lineno}: {ast.unparse(statement).splitlines()[0]}", changed


def replace(module: ModuleType, tree: ast.Module) -> None:
    before = dict(vars(module))
    for name in [name for name in before if not name.startswith("__")]:
        delattr(module, name)
    exec(compile(ast.fix_missing_locations(tree), str(module.__file__), "exec"), vars(module))
    swapped = {id(old): vars(module)[name] for name, old in before.items() if _ours(module, old)}
    for other in list(sys.modules.values()):
        if other is None or not other.__name__.startswith(("app.", "tests.", "test_")):
            continue
        for name, value in list(vars(other).items()):
            if id(value) in swapped:
                setattr(other, name, swapped[id(value)])


def _ours(module: ModuleType, value: Any) -> bool:
    return getattr(value, "__module__", None) == module.__name__


class Mutation:
    """A plugin of pytest that takes the place of its loop over the tests."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.missed: list[str] = []
        self.count = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        module = sys.modules[self._name]
        with open(str(module.__file__), encoding="utf-8") as file:  # noqa: PTH123
            found = list(mutants(file.read()))
        if not self._survives(session, module, found[0][1]):
            self.missed.append("the tests fail on the module as it is")
            return True
        for text, tree in found[1:]:
            self.count += 1
            if self._survives(session, module, tree):
                self.missed.append(text)
        return True

    def _survives(self, session: pytest.Session, module: ModuleType, tree: ast.Module) -> bool:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            signal.alarm(HANGS_S)
            try:
                replace(module, tree)
                _run(session)
            except BaseException:
                os._exit(1)
            os._exit(0)
        return os.waitpid(pid, 0)[1] == 0


def _run(session: pytest.Session) -> None:
    """Raises at the first test that fails."""
    for at, item in enumerate(session.items):
        following = session.items[at + 1] if at + 1 < len(session.items) else None
        for report in pytest_reports(item, following):
            if report.failed:
                raise AssertionError(item.name)


def pytest_reports(item: pytest.Item, following: pytest.Item | None) -> list[Any]:
    from _pytest.runner import runtestprotocol

    return runtestprotocol(item, log=False, nextitem=following)


def main(name: str, tests: list[str]) -> int:
    mutation = Mutation(name)
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow"]
    pytest.main([*options, *tests], plugins=[mutation])
    print(f"{name}: {mutation.count} statements, {len(mutation.missed)} that no test misses")
    print("\n".join(mutation.missed))
    return 1 if mutation.missed or not mutation.count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
