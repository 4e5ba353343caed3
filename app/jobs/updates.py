"""Looks for a newer Easel: in the child that may connect, and written into the ledger."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from app import __version__
from app.jobs import online
from app.jobs.online import Online
from app.weights.channel import Channel, Unknown, Update
from app.weights.ledger import Ledger
from app.weights.patience import Options, Patience


class Updates:
    """Asks ``source``, and only when ``look`` is called."""

    def __init__(
        self,
        source: Channel,
        ledger: Ledger,
        own: str = __version__,
        patience: Patience | None = None,
    ) -> None:
        self.source, self.own = source, own
        self._patience = patience or Patience(tries=2, idle_s=20.0)
        self._online = Online(Options(), ledger)

    def look(self, cancelled: Callable[[], bool]) -> Update | Unknown | None:
        """A newer version; None when there is none, or it was stopped. Blocks.

        Raises FolderNotWritable, NoSpace: it could not be written into the ledger.
        """
        work = partial(online.look_for_update, self.source, self.own, self._patience)
        return self._online.run(work, "a newer Easel", lambda _event: None, cancelled)
