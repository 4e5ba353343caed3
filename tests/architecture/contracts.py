"""The one kind of import contract that import-linter does not bring along."""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import ContractCheck
from importlinter.contracts.protected import ProtectedContract


class Home(ProtectedContract):
    """import-linter's ``protected``, which also holds before anything imports the package.

    ``protected`` itself fails on a package that nothing imports yet, so that a rule could only be
    written down after it had first been broken.
    """

    type_name = "home"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        for expression in self.protected_modules:
            if expression.expression not in graph.modules:
                graph.add_module(expression.expression, is_squashed=True)
        return super().check(graph, verbose)
