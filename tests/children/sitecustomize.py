"""Refuses internet connections, in the tests' own process and in every Python it starts.

``tests/conftest.py`` puts this folder first on PYTHONPATH, so that each child imports this file as
it starts; the tests' own process loads it by its path. Each refusal is appended to the file that
EASEL_TESTS_REFUSED names, because the code under test may swallow the exception.
"""

from __future__ import annotations

import os
import sys

LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")
NO_ADDRESS = (None, "", b"", "localhost", b"localhost")


def refuse_connections() -> None:
    """From now on a connection or a look-up raises PermissionError in this process."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event not in LOOK_UPS and event not in SENDS:
        return
    report = os.environ.get("EASEL_TESTS_REFUSED")
    asked = _asked_for(event, arguments)
    if report is None or asked is None:
        return
    if os.environ.get("EASEL_TESTS_LOOPBACK") == "1" and _is_loopback(asked):
        return
    with open(report, "a", encoding="utf-8") as file:  # noqa: PTH123 (pathlib costs each child 5 ms)
        file.write(f"{event} {asked}\n")
    raise PermissionError(f"no connections in tests: {event} {asked}")


def _asked_for(event: str, arguments: tuple[object, ...]) -> str | None:
    """The host that is meant; None where no internet address is."""
    if event in LOOK_UPS:
        host = arguments[0]
        if host in NO_ADDRESS:
            return "localhost"
        return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    import socket

    family = getattr(arguments[0], "family", None)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return None
    address = arguments[1]
    return str(address[0]) if isinstance(address, tuple) else str(address)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


if __name__ == "sitecustomize":
    refuse_connections()
