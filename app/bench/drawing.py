"""Benches of drawing: the same weights, dtype, scheduler and steps on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.bench.finding import Finding, Kind
from app.bench.runner import NotMeasured, Reading
from app.bench.setting import Scale, Setting, numbers
from app.core.errors import EaselError
from app.core.model import Model
from app.engine.model_folder import read_model, starter

MS = 1e3
MB = 1e-6
MEMORY_SIDE = 512


def first_picture(setting: Setting) -> list[Finding]:
    """Launch to the first starter picture, window and child together; then with all warm."""
    model, name = _starter(setting) if setting.counts else _tiny(setting)
    folder, limits = Path(model.folder), model.limits
    steps, side = limits.steps if setting.counts else setting.work.steps, limits.native.width
    pictures = 1 + setting.work.pictures
    drawn = ("--steps", steps, "--guidance", limits.guidance, "--pictures", pictures)
    dtype = _dtype(setting, folder, side)
    ours, peer = setting.pair(
        "first-picture",
        lambda: setting.window("easel_first_picture", "--model", name, *drawn),
        lambda: setting.peer("stock_picture.py", folder, "--side", side, "--dtype", dtype, *drawn),
    )
    held = setting.counts
    return _ratios(
        "first-picture",
        ours,
        peer,
        (
            Row("launch to the first picture", "cold", "s CPU", 1.0, 1.10 if held else None),
            Row("Generate to picture, warm", "warm", "ms CPU", MS, 1.02 if held else None),
        ),
    )


def overhead(setting: Setting) -> list[Finding]:
    """What is added to the UNet's own forward in each step, and the whole picture."""
    folder = setting.model()
    drawn = _drawn(setting)
    dtype = _dtype(setting, folder, setting.work.side)
    ours, peer = setting.pair(
        "overhead",
        lambda: setting.probe("easel_engine.py", folder, *drawn),
        lambda: setting.peer("stock_picture.py", folder, "--dtype", dtype, *drawn),
    )
    whole = Row("whole picture, same dtype", "warm", "s CPU", 1.0, 1.0 if setting.counts else None)
    found = _ratios("overhead", ours, peer, (whole,))
    stock = numbers(peer, "between", MS)
    if not ours:
        return [Finding("overhead", "added to each step", Kind.VALUE, "ms CPU", peer=stock), *found]
    added, forward = numbers(ours, "between", MS), numbers(ours, "forward", MS)
    steps = tuple(a + b for a, b in zip(added, forward, strict=True))
    full = setting.scale is Scale.FULL
    return [
        Finding(
            "overhead", "added to each step", Kind.VALUE, "ms CPU", added, stock,
            1.0 if setting.counts else None, note=_where(ours[-1]),
        ),
        Finding(
            "overhead", "a step over its UNet forward", Kind.RATIO, "ms CPU", steps, forward,
            1.01 if full else None, note="" if full else "the target is for --full",
        ),
        *found,
    ]  # fmt: skip


def load(setting: Setting) -> list[Finding]:
    """From asking for a picture to the first UNet forward, without the text encoder's."""
    folder = setting.model()
    side = setting.work.side
    drawn = ("--side", side, "--steps", 1)
    dtype = _dtype(setting, folder, side)
    ours, peer = setting.pair(
        "load",
        lambda: setting.probe("easel_engine.py", folder, *drawn),
        lambda: setting.peer("stock_picture.py", folder, "--dtype", dtype, *drawn),
    )
    row = Row("networks from disk", "load", "s CPU", 1.0, 1.0 if setting.counts else None)
    imports = Row("imports", "import", "s CPU", 1.0, None)
    return _ratios("load", ours, peer, (row, imports))


def memory(setting: Setting) -> list[Finding]:
    """Peak resident size of one 512x512 picture in half precision, networks loaded in stages."""
    full = setting.scale is Scale.FULL
    dtype = "float16"
    folder = setting.model(dtype)
    side = MEMORY_SIDE if setting.counts else setting.work.side
    drawn = ("--side", side, "--steps", 1)
    ours, peer = setting.pair(
        "memory",
        lambda: setting.probe("easel_engine.py", folder, *drawn, "--dtype", dtype, "--staged"),
        lambda: setting.peer("stock_picture.py", folder, "--dtype", dtype, *drawn),
        warm=False,
    )
    row = Row(f"peak, {side}x{side}", "peak", "MB", MB, 0.75 if full else None)
    note = "" if full else "the target is for --full: libraries weigh more than a small model"
    return _ratios("memory", ours, peer, (row,), note)


@dataclass(frozen=True, slots=True)
class Row:
    """One number that both sides report, and its target."""

    name: str
    number: str
    unit: str
    scale: float
    target: float | None


def _ratios(
    bench: str, ours: list[Reading], peer: list[Reading], rows: tuple[Row, ...], note: str = ""
) -> list[Finding]:
    return [
        Finding(
            bench,
            row.name,
            Kind.RATIO,
            row.unit,
            numbers(ours, row.number, row.scale),
            numbers(peer, row.number, row.scale),
            row.target,
            note=note,
        )
        for row in rows
    ]


def _starter(setting: Setting) -> tuple[Model, str]:
    """The model that comes with Easel, and what the probe calls it."""
    try:
        return starter(setting.folders), "starter"
    except EaselError as error:
        raise NotMeasured(f"the starter cannot be read: {error}") from error


def _tiny(setting: Setting) -> tuple[Model, str]:
    folder = setting.model()
    return read_model(folder.absolute()), str(folder)


def _dtype(setting: Setting, folder: Path, side: int) -> str:
    """What Easel computes in on this machine: the peer is given the same."""
    if setting.peer_only:
        return "float32"
    return setting.probe("easel_engine.py", folder, "--side", side, "--steps", 1).facts["dtype"]


def _where(reading: Reading) -> str:
    last = " in channels_last" if reading.facts["channels_last"] == "True" else ""
    return f"Easel computes in {reading.facts['dtype']}{last} here; the peer in the same dtype"


def _drawn(setting: Setting) -> tuple[object, ...]:
    work = setting.work
    return ("--side", work.side, "--steps", work.steps, "--pictures", 1 + work.pictures)
