"""The bench of Core ML conversion: what the UNet costs on the way, and how large it comes out."""

from __future__ import annotations

from app.bench.finding import Finding, Kind
from app.bench.runner import Reading
from app.bench.setting import Scale, Setting

GIB = 2.0**-30
GB = 1e-9

CONVERT_S, CONVERT_GIB, WHOLE_GB = 90.0, 3.0, 1.73
PALETTIZE_S, PALETTIZE_GIB, SIX_BIT_GB = 400.0, 4.0, 0.65
GRAPH_DB, TYPED_DB = 90.0, 60.0
"""Targets of Stable Diffusion 1.5 (--full)."""


def convert(setting: Setting) -> list[Finding]:
    """The UNet as it is (16 bits) and palettized (6 bits), for the Neural Engine.

    At --full the 16-bit package is also executed and held against torch.
    """
    if setting.peer_only:
        return []
    folder = setting.model()
    full = setting.scale is Scale.FULL
    work = ("--work", setting.models)
    checked = ("--check",) if full else ()
    setting.say("convert: 16 bits")
    whole = setting.probe("easel_convert.py", folder, "--bits", 16, *work)
    setting.say("convert: 6 bits")
    small = setting.probe("easel_convert.py", folder, "--bits", 6, *work)
    found = [
        *_costs("UNet to a package", whole, ("load", "export"), CONVERT_S, CONVERT_GIB, full),
        _value("size, 16 bits", "GB", whole.number("bytes") * GB, WHOLE_GB, full),
        *_costs("UNet to 6 bits", small, ("snap", "store"), PALETTIZE_S, PALETTIZE_GIB, full),
        _value("size, 6 bits", "GB", small.number("bytes") * GB, SIX_BIT_GB, full),
    ]
    if checked:
        setting.say("convert: executing the 16-bit package")
        run = setting.probe("easel_convert.py", folder, "--bits", 16, *work, *checked)
        for name, mode, least in (("graph", "fp32", GRAPH_DB), ("typed", "typed", TYPED_DB)):
            reached = run.number(f"psnr_{mode}")
            note = f"{reached:.1f} dB, at least {least:.0f}"
            holds = float(reached >= least)
            found.append(
                Finding("convert", f"{name}, against torch in fp32", Kind.CHECK, "yes/no",
                        (holds,), target=1.0, note=note)
            )  # fmt: skip
    return found


def _costs(
    name: str, reading: Reading, stages: tuple[str, ...], seconds: float, gib: float, held: bool
) -> list[Finding]:
    took = sum(reading.number(stage) for stage in stages)
    return [
        _value(name, "s CPU", took, seconds, held),
        _value(f"{name}, peak", "GiB", reading.number("peak") * GIB, gib, held),
    ]


def _value(name: str, unit: str, value: float, target: float, held: bool) -> Finding:
    note = "" if held else "the target is for --full"
    return Finding(
        "convert", name, Kind.VALUE, unit, (value,), target=target if held else None, note=note
    )
