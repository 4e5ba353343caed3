"""How far a download or an import is, in words."""

from __future__ import annotations

from app.jobs.deliveries import Delivery, DeliveryState
from app.messages import size_text
from app.ui.pace import seconds_text

_STAGES = {
    "checking": "Checking",
    "converting": "Converting, so that it opens quickly from now on",
    "proving": "The last check",
    "fetching again": "A file came damaged and is fetched again",
    "unpacking": "Unpacking",
}
_WAITS = {"busy": "The server is busy", "no answer": "The server does not answer"}


def progress_text(delivery: Delivery) -> str:
    """ "612 MB of 1.6 GB · 9.0 MB/s · 2 min left", or what is going on instead."""
    done, total = size_text(delivery.done), size_text(delivery.total)
    match delivery.state:
        case DeliveryState.WAITING:
            return "Waits for its turn"
        case DeliveryState.PAUSED:
            return f"Paused at {done} of {total}" if delivery.total else "Paused"
        case DeliveryState.FAILED:
            return f"Stopped at {done} of {total}; this much is kept" if delivery.done else ""
    if delivery.stage == "another Easel":
        return "Another Easel is downloading this: it is used here when it is done"
    if delivery.stage.startswith("waiting: "):
        return waiting_text(delivery.stage.removeprefix("waiting: "))
    if delivery.stage:
        words = _STAGES.get(delivery.stage, delivery.stage.capitalize())
        return f"{words} · {percent(delivery)} %" if delivery.total else words
    if not delivery.done:
        return f"Starting · {total}" if delivery.total else "Starting"
    parts = [f"{done} of {total}"]
    if delivery.speed > 0:
        parts.append(f"{size_text(round(delivery.speed))}/s")
        left = (delivery.total - delivery.done) / delivery.speed
        parts.append(f"{seconds_text(left, whole=True)} left")
    return " · ".join(parts)


def waiting_text(reason: str) -> str:
    """Why nothing moves, for the ``reason`` of a ``WaitingFor``."""
    return f"{_WAITS.get(reason, 'The connection is gone')}: Easel tries again by itself"


def percent(delivery: Delivery) -> int:
    """Whole percents of it; 0 where nothing can be counted yet."""
    return 100 * delivery.done // delivery.total if delivery.total else 0
