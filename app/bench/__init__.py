"""Measures what Easel promises, against stock scripts that sit beside it.

Standard library only, like every import from here: what is measured runs in fresh processes
(``probes`` for Easel's side, ``peers`` for the stock side), never in this one.
"""

from __future__ import annotations


def main(argv: list[str]) -> int:
    """Run ``easel bench`` with ``argv``; 0 when all was measured, 1 when not, 2 on wrong usage."""
    from app.bench.command import run

    return run(argv)
