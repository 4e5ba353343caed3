"""The findings as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.bench.finding import Finding, Kind
from app.bench.statistics import Estimate, median_of

VERSION = 1
HEADINGS = ("bench", "what", "Easel", "peer", "judged", "95 % interval", "target", "")


def to_json(
    findings: Sequence[Finding], machine: Mapping[str, object], settings: Mapping[str, object]
) -> dict[str, object]:
    """Everything that was found, every reading included, as JSON values."""
    return {
        "easel_bench": VERSION,
        "machine": dict(machine),
        "settings": dict(settings),
        "findings": [_row(finding) for finding in findings],
    }


def table(findings: Sequence[Finding]) -> str:
    """The findings as lines of text, a missed target as plain as a met one."""
    rows = [HEADINGS, *(_cells(finding) for finding in findings)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    notes = [
        f"{finding.bench}, {finding.name}: {finding.note}" for finding in findings if finding.note
    ]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _row(finding: Finding) -> dict[str, object]:
    judged = finding.judged
    return {
        "bench": finding.bench,
        "name": finding.name,
        "kind": finding.kind.value,
        "unit": finding.unit,
        "ours": list(finding.ours),
        "peer": list(finding.peer),
        "value": None if judged is None else judged.value,
        "interval": None if judged is None else [judged.low, judged.high],
        "target": finding.target,
        "met": finding.met,
        "note": finding.note,
    }


def _cells(finding: Finding) -> tuple[str, ...]:
    judged = finding.judged
    return (
        finding.bench,
        finding.name,
        _median(finding.ours, finding.unit),
        _median(finding.peer, finding.unit),
        "" if judged is None else _judged(finding, judged.value),
        "" if judged is None or finding.kind is Kind.CHECK else _interval(finding, judged),
        _target(finding),
        {True: "met", False: "MISSED", None: ""}[finding.met],
    )


def _median(values: Sequence[float], unit: str) -> str:
    if not values or unit in ("", "yes/no"):
        return ""
    return f"{_short(median_of(values).value)} {unit}"


def _judged(finding: Finding, value: float) -> str:
    if finding.kind is Kind.RATIO:
        return f"{value:.3f}x"
    if finding.kind is Kind.SHARE:
        return f"{value:.1%}"
    if finding.kind is Kind.CHECK:
        return "yes" if value else "no"
    return f"{_short(value)} {finding.unit}"


def _interval(finding: Finding, judged: Estimate) -> str:
    return f"{_judged(finding, judged.low)} to {_judged(finding, judged.high)}"


def _target(finding: Finding) -> str:
    if finding.target is None:
        return ""
    if finding.kind is Kind.CHECK:
        return "yes"
    sign = "≥" if finding.kind is Kind.SHARE else "≤"
    return f"{sign} {_judged(finding, finding.target)}"


def _short(value: float) -> str:
    """Three digits that matter."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
