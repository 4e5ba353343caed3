"""Benches of the window: how fast it comes up, and whether it keeps answering."""

from __future__ import annotations

from app.bench import machine
from app.bench.finding import Finding, Kind
from app.bench.setting import Setting, numbers

MS = 1e3
MB = 1e-6


def startup(setting: Setting) -> list[Finding]:
    """CPU from the launch to the first paint, and what the window's process has imported then."""
    ours, peer = setting.pair(
        "startup",
        lambda: setting.window("easel_startup"),
        lambda: setting.peer("bare_window.py"),
        times=4,  # a fifth of a second each
    )
    bare = numbers(peer, "cpu", MS)
    if not ours:
        return [Finding("startup", "to the first window", Kind.VALUE, "ms CPU", peer=bare)]
    cpu = numbers(ours, "cpu", MS)
    imported = ours[-1].facts["imported"]
    light = tuple(float(reading.number("heavy") == 0) for reading in ours)
    return [
        Finding("startup", "to the first window", Kind.RATIO, "ms CPU", cpu, bare, 1.5),
        Finding("startup", "to the first window", Kind.VALUE, "ms CPU", cpu, bare, 250.0),
        Finding(
            "startup",
            "no torch, diffusers, transformers, coremltools, numpy",
            Kind.CHECK,
            "yes/no",
            light,
            target=1.0,
            note=f"imported: {imported}" if imported else "",
        ),
        Finding("startup", "window process", Kind.VALUE, "MB", numbers(ours, "peak", MB)),
    ]


def ui(setting: Setting) -> list[Finding]:
    """Gaps of a 10 ms timer while the child imports, loads, draws and ends, against idle."""
    if setting.peer_only:
        return []
    setting.say(f"ui: {setting.pairs} runs of the window with the engine at work behind it")
    model = "starter" if setting.counts else setting.model()
    runs = [
        setting.window("easel_heartbeat", "--model", model, pinned=False)
        for _ in range(setting.pairs)
    ]
    more = tuple(
        work - idle
        for work, idle in zip(numbers(runs, "work_p99"), numbers(runs, "idle_p99"), strict=True)
    )
    note = "" if machine.is_quiet() else f"the machine is loaded: {machine.load()}"
    held = setting.counts
    longest, idle = numbers(runs, "work_max"), numbers(runs, "idle_max")
    limits = (100.0, 8.0, 160.0) if held else (None, None, None)
    return [
        Finding(
            "ui", "longest gap while the engine works", Kind.VALUE, "ms",
            longest, idle, limits[0], note=note,
        ),
        Finding("ui", "99th percentile over idle", Kind.VALUE, "ms", more, target=limits[1]),
        Finding(
            "ui", "longest gap while the window completes itself", Kind.VALUE, "ms",
            numbers(runs, "opening_max"), idle,
        ),
        Finding(
            "ui", "window process while torch draws", Kind.VALUE, "MB",
            numbers(runs, "peak", MB), target=limits[2],
        ),
    ]  # fmt: skip
