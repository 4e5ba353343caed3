"""The bytes of an answer, as they come."""

from __future__ import annotations

from collections.abc import Iterator

import httpcore2
import httpx2

LARGE = 512 * 1024
PIECE = 256 * 1024


def body(response: httpx2.Response, timeout: float) -> Iterator[bytes]:
    """The bytes of ``response``, never held back to fill a piece. Raises httpx2.HTTPError.

    All of a large file but its first piece is read from the connection itself, for the client's
    own way costs half as much CPU again: it copies each byte three times. The first piece is
    everything that the client had read ahead, and what follows on the connection is then nothing
    but the file. The connection cannot be used again. ``timeout`` is in seconds, for each read.
    """
    pieces = response.iter_raw()
    length = response.headers.get("content-length", "")
    if "transfer-encoding" in response.headers or not length.isdigit() or int(length) < LARGE:
        yield from pieces
        return
    left = int(length)
    piece = next(pieces, b"")
    while piece:
        left -= len(piece)
        yield piece
        piece = _read(response, min(left, PIECE), timeout) if left else b""
    if left:
        raise httpx2.RemoteProtocolError("ended too early", request=response.request)


def _read(response: httpx2.Response, most: int, timeout: float) -> bytes:
    try:
        found: bytes = response.extensions["network_stream"].read(most, timeout)
    except httpcore2.TimeoutException as error:
        raise httpx2.ReadTimeout("silent", request=response.request) from error
    except httpcore2.NetworkError as error:
        raise httpx2.ReadError("broken off", request=response.request) from error
    return found
