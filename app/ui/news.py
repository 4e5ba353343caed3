"""What of a session's events is worth a line to the person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from app.core.events import PartlyUsed
from app.jobs.events import EngineChanged, NotSaved, Retrying, Saved, SessionEvent
from app.messages import describe, describe_fallback, describe_partly_used
from app.ui.studio import place_text

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


def tell(window: MainWindow, event: SessionEvent) -> None:
    """Say in ``window`` what ``event`` means beyond what the canvas shows."""
    match event:
        case Saved(_, picture, _) if picture.fell_back is not None:
            message = describe_fallback(picture.fell_back, picture.file)
            window.toast(f"{message.title}. {message.body}")
        case Retrying(_, _, after, error):
            place = place_text(after, sys.platform == "darwin")
            window.toast(f"{describe(error).title}. Drawing it again on {place}.")
        case PartlyUsed():
            window.toast(describe_partly_used(event))
        case NotSaved():
            window.toast("The picture is drawn, but no folder would take it.")
        case EngineChanged(error=error) if error is not None and not window.desk.busy:
            window.toast(f"{describe(error).title}. The next picture starts it again.")
        case _:
            pass
