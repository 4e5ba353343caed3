"""What saving a picture costs: its PNG beside Pillow's own."""

from __future__ import annotations

import tempfile

from app.bench.finding import Finding, Kind
from app.bench.setting import Scale, Setting, numbers

MS = 1e3
KB = 1e-3
SIDES = {Scale.TINY: 64, Scale.SMALL: 512, Scale.FULL: 1024}
KINDS = ("smooth", "grainy", "drawing")
"""The pictures of ``peers/build_pictures.py``."""


def png(setting: Setting) -> list[Finding]:
    """CPU and bytes of a PNG with its recipe, against Pillow's default of the same pixels."""
    side = SIDES[setting.scale]
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as folder:
        setting.peer("build_pictures.py", folder, "--side", side)
        ours, peer = setting.pair(
            "png",
            lambda: setting.probe("easel_png.py", folder, "--side", side),
            lambda: setting.peer("pillow_png.py", folder, "--side", side),
        )
    found = []
    for kind in KINDS:
        cpu, size = numbers(peer, f"{kind}_cpu", MS), numbers(peer, f"{kind}_bytes", KB)
        if not ours:
            found.append(Finding("png", f"{kind}, Pillow", Kind.VALUE, "ms CPU", peer=cpu))
            continue
        bars = (0.25, 1.2) if setting.counts else (None, None)
        our_cpu, our_size = numbers(ours, f"{kind}_cpu", MS), numbers(ours, f"{kind}_bytes", KB)
        found += [
            Finding("png", f"{kind} picture", Kind.RATIO, "ms CPU", our_cpu, cpu, bars[0]),
            Finding("png", f"{kind} picture", Kind.RATIO, "KB", our_size, size, bars[1]),
        ]
    return found
