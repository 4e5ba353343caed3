"""Asking the hub: the client of huggingface_hub, our own redirects, and what its failures mean."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import httpx2

from app import __version__
from app.core.card import CardFile, ModelCard
from app.core.errors import (
    CertificateProblem,
    DownloadError,
    HubSilent,
    HubUnreachable,
    UnsafeRedirect,
)
from app.weights.body import body
from app.weights.patience import Options
from app.weights.setback import Setback

SWITCHES = {
    "HF_HUB_OFFLINE": "0",  # someone who asks for a download means it
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
}
"""Read by huggingface_hub when it is imported."""
PROXY_TRIES = 4
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CERTIFICATES = {
    10: "expired",
    18: "self-signed",
    19: "self-signed",
    62: "another name",
    64: "another name",
}
_CERTIFICATE_WORDS = {"expired": "expired", "self-signed": "self-signed", "name": "another name"}


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, after redirects; ``host`` is the one that gave it.

    ``from_hub`` is false when the answer came from another origin than the endpoint. ``passed``
    are the headers of the redirects on the way.
    """

    status: int
    headers: Mapping[str, str]
    host: str
    from_hub: bool
    passed: tuple[Mapping[str, str], ...] = ()


def file_url(endpoint: str, card: ModelCard, file: CardFile) -> str:
    """Where ``file`` lies on the hub."""
    path = f"{card.subfolder}/{file.path}" if card.subfolder else file.path
    revision = quote(card.revision, safe="")
    return f"{endpoint.rstrip('/')}/{card.repository}/resolve/{revision}/{quote(path)}"


class Hub:
    """The connections of one transfer; one transfer at a time in a process has them.

    Raises UnsafeRedirect for an endpoint that is no address.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        try:
            self._home = _origin(options.endpoint)
        except ValueError:  # a mirror that somebody mistyped
            raise UnsafeRedirect(options.endpoint, "an address that is none") from None
        self._sockets: list[socket.socket] = []
        self._hung_up = 0
        self.host = self._home[1]

    @contextlib.contextmanager
    def get(
        self,
        url: str,
        start: int,
        heard: Callable[[], None],
        hosts: list[str],
        *,
        head_only: bool = False,
    ) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Ask for ``url`` from byte ``start`` on: the answer, and its bytes as they come.

        ``heard`` is called at the start and when a redirect has come; ``hosts`` holds the one that
        is asked, and gets those that redirects lead to. Blocks; ``hang_up`` from another thread
        ends it. ``head_only`` asks with HEAD, and no bytes come. Raises Setback,
        CertificateProblem, UnsafeRedirect, and what ``heard`` raises.
        """
        notice = self._notice(self._hung_up)
        passed = list[Mapping[str, str]]()
        try:
            self.refuse_unsafe(url)
            client = _session()
            heard()
            while True:
                request = client.build_request(
                    "HEAD" if head_only else "GET",
                    url,
                    headers=self._headers(url, start),
                    timeout=self._timeout(),
                    extensions={"trace": notice},
                )
                response = client.send(request, stream=True, follow_redirects=False)
                with contextlib.closing(response):
                    if response.status_code not in _REDIRECTS:
                        from_hub = _origin(url) == self._home
                        head = Answer(
                            response.status_code,
                            response.headers,
                            hosts[-1],
                            from_hub,
                            tuple(passed),
                        )
                        timeout = self._options.patience.stall_s + 1
                        yield head, iter(()) if head_only else body(response, timeout)
                        return
                    passed.append(response.headers)
                    url = self._next(url, response.headers.get("location", ""), len(hosts))
                heard()
                hosts.append(_origin(url)[1])
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise _meaning(error, hosts[-1], url, self._options) from error

    def refuse_unsafe(self, url: str) -> None:
        """https only; without encryption only this machine talks to itself, when told to.

        Raises UnsafeRedirect.
        """
        try:
            scheme, host, _ = _origin(url)
        except ValueError:
            raise UnsafeRedirect(self.host, "an address that is none") from None
        inside = scheme == "http" and self._home[0] == "http"
        if scheme == "https" or (inside and _is_loopback(host) and _is_loopback(self.host)):
            return
        raise UnsafeRedirect(self.host, f"{scheme}://{host}")

    def hang_up(self) -> None:
        """End every connection now, also those that another thread waits on. Raises nothing."""
        self._hung_up += 1
        while self._sockets:
            _end(self._sockets.pop())

    def close(self) -> None:
        """Hang up and forget the client, so that the next one sees today's proxies."""
        from huggingface_hub.utils import close_session  # type: ignore[attr-defined]  # lazy there

        self.hang_up()
        close_session()

    def _headers(self, url: str, start: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": f"Easel/{__version__}"}
        if start:
            headers["Range"] = f"bytes={start}-"
        if self._options.token and _origin(url) == self._home:
            headers["Authorization"] = f"Bearer {self._options.token}"
        return headers

    def _timeout(self) -> httpx2.Timeout:
        """A little longer than whoever waits will: this is only what ends a forgotten thread."""
        patience = self._options.patience
        return httpx2.Timeout(patience.stall_s + 1, connect=patience.connect_s)

    def _notice(self, hung_up: int) -> Callable[[str, Mapping[str, object]], None]:
        """Keeps the socket of each connection, which the client does not give out otherwise.

        One that comes about after ``hang_up`` is ended at once: nobody waits for it.
        """

        def notice(event: str, details: Mapping[str, object]) -> None:
            if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
                return
            stream = details["return_value"]
            found = getattr(stream, "get_extra_info")("socket")  # noqa: B009 (untyped in httpcore2)
            if isinstance(found, socket.socket):
                self._sockets.append(found)
                if self._hung_up != hung_up:
                    _end(found)

        return notice

    def _next(self, url: str, location: str, hops: int) -> str:
        """Where a redirect leads to. Raises UnsafeRedirect."""
        if hops > self._options.patience.redirects:
            raise UnsafeRedirect(self.host, "too many")
        try:
            target = urljoin(url, location)
        except ValueError:
            raise UnsafeRedirect(self.host, "an address that is none") from None
        self.refuse_unsafe(target)
        return target


def _end(connection: socket.socket) -> None:
    """Past ssl's own shutdown, which would wait for the other side."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _session() -> httpx2.Client:
    os.environ.update(SWITCHES)
    from huggingface_hub.utils import get_session  # type: ignore[attr-defined]  # lazy there

    return get_session()


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _meaning(error: Exception, host: str, url: str, options: Options) -> Setback | DownloadError:
    """What a failure of the client means for a try."""
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateProblem(host, _certificate_reason(cause))
    if isinstance(error, httpx2.ProxyError) or (
        isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout) and _by_proxy(url, host)
    ):
        return Setback(HubUnreachable(host, "proxy"), tries=PROXY_TRIES)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Setback(HubUnreachable(host, "name not found"))
    if isinstance(error, httpx2.TimeoutException):
        patience = options.patience
        connecting = isinstance(error, httpx2.ConnectTimeout)
        return Setback(HubSilent(host, patience.connect_s if connecting else patience.stall_s))
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return UnsafeRedirect(host, "an address that is none")
    if isinstance(error, httpx2.ConnectError | OSError):
        return Setback(HubUnreachable(host, "no connection"))
    return Setback(HubUnreachable(host, "broken off"))


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _certificate_reason(error: ssl.SSLCertVerificationError) -> str:
    """By OpenSSL's number; the Mac's own check gives only words."""
    said = str(getattr(error, "verify_message", "") or error)
    if known := _CERTIFICATES.get(error.verify_code):
        return known
    return next((why for word, why in _CERTIFICATE_WORDS.items() if word in said.lower()), said)


def _by_proxy(url: str, host: str) -> bool:
    proxies = urllib.request.getproxies()
    through = urlsplit(url).scheme in proxies or "all" in proxies
    return through and not urllib.request.proxy_bypass(host)
