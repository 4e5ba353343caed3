"""How long a transfer waits for what, and what it is told about the hub."""

from __future__ import annotations

from dataclasses import dataclass, field

HUB = "https://huggingface.co"
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Patience:
    """Every limit of a transfer. Times in seconds, sizes in bytes.

    A try is idle when it brought fewer than ``progress`` bytes; any other refills the budget of
    ``tries`` and ``idle_s``.
    """

    connect_s: float = 10.0
    stall_s: float = 15.0  # nothing comes: before the answer, or within the file
    glance_s: float = 0.2  # how often a wait looks whether it was cancelled
    slow_window_s: float = 10.0
    slow_rate: float = 1024.0  # bytes a second, over a whole window
    pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 14.0)  # between tries; the last one repeats
    tries: int = 8
    idle_s: float = 60.0  # the budget of fruitless time; what the hub asked to wait is not counted
    lost_s: float = 300.0  # the same, for a network that is gone after it worked
    progress: int = 64 * 1024
    vague_retry_s: float = 5.0  # for a busy hub that does not say how long
    longest_retry_s: float = 120.0  # a hub that asks for more is told about, not waited for
    redirects: int = 5
    spare: int = GIB  # left free on the disk beyond what is fetched
    report_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """``endpoint`` is the hub or a mirror of it, which need not be trusted: hashes prove the files.

    ``token`` is sent to ``endpoint`` only; empty for none.
    """

    endpoint: str = HUB
    token: str = field(default="", repr=False)
    patience: Patience = Patience()
