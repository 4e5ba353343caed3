"""What a transfer and a check tell, as frozen picklable values.

``Transferred`` and ``Stopped`` are the two endings of a transfer, ``Verified`` and ``Stopped``
those of a check; they are returned. Everything else is reported on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Checking:
    """Bytes on the disk are read again: ``done`` of ``total`` of them, now in ``file``."""

    done: int
    total: int
    file: str


@dataclass(frozen=True, slots=True)
class Transferring:
    """``done`` of ``total`` bytes of the whole model are here; ``speed`` in bytes a second."""

    done: int
    total: int
    file: str
    speed: float


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """Nothing moves for the next ``seconds``.

    ``reason`` is that of ``HubUnreachable``, or "busy", "no answer" or "wrong answer".
    """

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Connecting:
    """For the ledger of connections: ``host`` is asked for ``file``. A ``Connected`` follows.

    The hub's is reported before it is asked, that of a host that a redirect led to soon after.
    """

    host: str
    file: str


@dataclass(frozen=True, slots=True)
class Connected:
    """``host`` was asked for ``file``, sent ``received`` bytes, and is done with.

    In the order of the ``Connecting`` before: also for what was refused, broke off or was stopped.
    """

    host: str
    file: str
    received: int


@dataclass(frozen=True, slots=True)
class FetchingAgain:
    """``file`` came with the wrong bytes, and is fetched once more from its beginning."""

    file: str


@dataclass(frozen=True, slots=True)
class OtherEasel:
    """Another Easel works on this model; it is waited for."""


@dataclass(frozen=True, slots=True)
class Packing:
    """``done`` of ``total`` bytes are written into a pack, or out of one."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """Every file is whole and proven. ``fetched`` counts the bytes that came over the network."""

    fetched: int
    total: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """It was cancelled; what has arrived is kept."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found, as the paths of the files that are ``damaged`` or ``missing``."""

    damaged: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.damaged and not self.missing


WeightsEvent = (
    Checking | Transferring | WaitingFor | Connecting | Connected | FetchingAgain | OtherEasel
)
Report = Callable[[WeightsEvent], None]
Cancelled = Callable[[], bool]
