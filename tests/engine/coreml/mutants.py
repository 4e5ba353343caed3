"""Runs tests on a module with one statement taken out at a time, and prints what nobody missed.

    python mutants.py MODULE TEST_FILE...

Each mutant is a forked process that imports the module anew through a finder of its own.
"""

from __future__ import annotations

import ast
import copy
import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis  # noqa: F401  imported here once and not in each fork
import numpy as np  # noqa: F401
import psutil  # noqa: F401
import pytest

HANGS_S = 60


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a tree."""

    def __init__(self, name: str, tree: ast.Module, file: str) -> None:
        self._name = name
        self._tree = tree
        self._file = file

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=self._file)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(ast.fix_missing_locations(self._tree), self._file, "exec"), vars(module))


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def is_silent(statement: ast.stmt) -> bool:
    """A docstring, an annotation alone and what only a type checker reads change nothing."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    if isinstance(statement, ast.ImportFrom):
        return statement.module in ("__future__", "typing", "collections.abc", "pathlib")
    return isinstance(statement, ast.Pass)


def mutants(source: str) -> Iterator[tuple[int, str, ast.Module]]:
    """Line, text and tree of each statement taken out."""
    tree = ast.parse(source)
    places = [
        (at, index)
        for at, body in enumerate(bodies(tree))
        for index, statement in enumerate(body)
        if not is_silent(statement)
    ]
    for at, index in places:
        changed = copy.deepcopy(tree)
        body = list(bodies(changed))[at]
        gone = body[index]
        body[index] = ast.copy_location(ast.Pass(), gone)
        yield gone.lineno, ast.unparse(gone).splitlines()[0], changed


def survives(name: str, tree: ast.Module, file: Path, tests: list[str]) -> bool:
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        signal.alarm(HANGS_S)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, Mutated(name, tree, str(file)))
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests])
        os._exit(int(code))
    _, status = os.waitpid(pid, 0)
    return status == 0


def main(name: str, tests: list[str]) -> int:
    file = Path(*name.split(".")).with_suffix(".py")
    count, missed = 0, []
    for line, text, tree in mutants(file.read_text("utf-8")):
        count += 1
        if survives(name, tree, file, tests):
            missed.append(f"{file}:{line}: {text}")
    print(f"{count} statements, {len(missed)} that no test misses")
    print("\n".join(missed))
    return 1 if missed or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
