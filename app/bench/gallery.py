"""What the gallery costs with many pictures: to open, to leaf through, to search."""

from __future__ import annotations

import tempfile

from app.bench.finding import Finding, Kind
from app.bench.setting import Scale, Setting, numbers

MS = 1e3
MB = 1e-6
COUNTS = {Scale.TINY: 300, Scale.SMALL: 10_000, Scale.FULL: 10_000}


def gallery(setting: Setting) -> list[Finding]:
    """A window over a folder of pictures that was seen before: index and small pictures are there.

    "window's thread" is what a person waits for; decoding goes on beside it.
    """
    if setting.peer_only:
        return []
    count = COUNTS[setting.scale]
    with tempfile.TemporaryDirectory(prefix="easel-bench-") as home:
        setting.say(f"gallery: drawing a folder of {count} small pictures")
        setting.peer("build_gallery.py", home, "--count", count)
        setting.say(f"gallery: {setting.pairs} visits")
        runs = [
            setting.window("easel_gallery", "--home", home, pinned=False)
            for _ in range(setting.pairs + 1)
        ][1:]  # the first one warms the disk's cache
    held = setting.counts
    rows = (
        ("open, until all in sight is there", "open", MS, 80.0, "ms CPU"),
        ("open, window's thread", "open_window", MS, None, "ms CPU"),
        ("page jump, window's thread, p50", "jump_p50", MS, 10.0, "ms CPU"),
        ("page jump, window's thread, p99", "jump_p99", MS, None, "ms CPU"),
        ("search, window's thread, p50", "search_p50", MS, None, "ms CPU"),
        ("folders looked at again", "refresh", MS, None, "ms CPU"),
        ("window process", "after", MB, 150.0, "MB"),
        ("window process before it", "before", MB, None, "MB"),
    )
    return [
        Finding("gallery", f"{count} pictures: {words}", Kind.VALUE, unit,
                numbers(runs, name, scale), target=target if held else None)
        for words, name, scale, target, unit in rows
    ]  # fmt: skip
