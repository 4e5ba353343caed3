"""No connections: the switches of the hub libraries, and a hook that refuses what gets past them.

Offline means: no connect or send to an IPv4 or IPv6 address, and no name look-up. A Unix socket
(a pipe between processes) is allowed, and so is binding: urllib3 binds ::1 once when imported.
"""

from __future__ import annotations

import errno
import sys
from _socket import AF_INET, AF_INET6, SocketType  # ``socket`` itself takes ten times as long
from collections.abc import MutableMapping

SWITCHES = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "DIFFUSERS_DISABLE_REMOTE_CODE": "1",
}
"""Read by the libraries when they are imported, so they have to be set before."""

LOOK_UPS = frozenset(
    {
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
        "socket.getnameinfo",
    }
)
SENDS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
INTERNET = frozenset({AF_INET, AF_INET6})


def set_switches(environ: MutableMapping[str, str]) -> None:
    """Turn the network off in every hub library that this process will import."""
    environ.update(SWITCHES)


def allow_the_hub(environ: MutableMapping[str, str]) -> None:
    """In the child that downloads: the hub's client may be used. Telemetry and Xet stay off."""
    for switch in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):  # the hub's client heeds both
        environ.pop(switch, None)
    environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"


def refuse_connections() -> None:
    """From now on a connection raises PermissionError in this process. Cannot be undone."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    if event in LOOK_UPS:
        raise PermissionError(errno.EPERM, f"Easel is offline here: {event} refused")
    if event in SENDS:
        asked = arguments[0]
        if isinstance(asked, SocketType) and asked.family in INTERNET:
            raise PermissionError(errno.EPERM, f"Easel is offline here: {event} refused")
