"""A hub on loopback that goes wrong as it is told to. Run by path, in a process of its own.

``python fault_hub.py ROOT PLAN LOG PORT [CERTIFICATE KEY]`` serves the files below ROOT at
``/any/repo/resolve/any/PATH`` and ``/cdn/PATH``, on two ports (a hub and its CDN) that it prints.
PORT is the hub's, 0 for any.
PLAN is a JSON list of rules, the first that fits a request and is not used up is followed:
``{"do": FAULT, "path": end of the path, "method": "HEAD", "times": n, "skip": n}`` and the fault's
own numbers.
LOG gets a JSON line for each request when it is over: what was asked, and how many bytes went out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import hub_api  # beside this file: it is run by path

PAGE = b"<!doctype html><title>Hotel</title>Please log in to our network."
PIECE = 16 * 1024
Rule = dict[str, Any]


class Gone(Exception):
    """This connection is to end."""


class Plan:
    """The rules, and how often each has been used."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules = rules
        self._lock = threading.Lock()

    def rule(self, request: Request) -> Rule:
        with self._lock:
            for rule in self._rules:
                if rule.get("method", request.method) != request.method:
                    continue
                if not request.path.endswith(rule.get("path", "")):
                    continue
                if rule.get("skip", 0) > 0:
                    rule["skip"] -= 1
                    continue
                if rule.get("times", 1) > 0:
                    rule["times"] = rule.get("times", 1) - 1
                    return rule
        return {"do": "serve"}


class Log:
    def __init__(self, file: Path) -> None:
        self._file = file.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, **entry: object) -> None:
        with self._lock:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()


class Request:
    """One question on a connection, and the sending of its answer."""

    def __init__(self, link: socket.socket, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path = lines[0].split(" ")[:2]
        pairs = (line.partition(":") for line in lines[1:] if line)
        self.headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.link, self.sent, self.status = link, 0, 0

    @property
    def start(self) -> int | None:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(found.group(1)) if found else None

    def head(self, status: int, headers: dict[str, object]) -> None:
        self.status = status
        lines = [
            f"HTTP/1.1 {status} Said",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self.link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def body(self, data: bytes, rate: float | None = None) -> None:
        if self.method == "HEAD":
            return
        for begin in range(0, len(data), PIECE):
            piece = data[begin : begin + PIECE]
            self.link.sendall(piece)
            self.sent += len(piece)
            if rate:
                time.sleep(len(piece) / rate)

    def drip(self, data: bytes) -> None:
        """64 bytes a second."""
        for begin in range(0, len(data), 8):
            self.link.sendall(data[begin : begin + 8])
            self.sent += 8
            time.sleep(0.125)

    def silence(self) -> None:
        """Until the other side has had enough."""
        self.link.settimeout(600)
        self.link.recv(1)
        raise Gone

    def reset(self) -> None:
        """RST instead of FIN."""
        time.sleep(0.1)  # what was sent before is to arrive
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.link.close()
        raise Gone


def answer(request: Request, rule: Rule, root: Path, cdn: str) -> None:
    do = rule["do"]
    if do == "blackhole":
        request.silence()
    if do == "status":
        request.head(rule["code"], {"Content-Length": 0, **rule.get("headers", {})})
        return
    if do == "redirect":
        to = str(rule["to"]).replace("CDN", cdn).replace("PATH", request.path.split("/")[-1])
        request.head(rule.get("code", 302), {"Content-Length": 0, "Location": to})
        return
    if do == "html":
        request.head(200, {"Content-Type": "text/html; charset=utf-8", "Content-Length": len(PAGE)})
        request.body(PAGE)
        return
    if do == "serve" and request.path.startswith("/api/"):
        base = f"http://{request.headers['host']}"
        reply = hub_api.reply(root, request.path, "authorization" in request.headers, base)
        data = json.dumps(reply.data).encode()
        kind = {"Content-Type": "application/json", "Content-Length": len(data)}
        request.head(reply.status, {**kind, **reply.headers})
        request.body(data)
        return
    told = hub_api.about(root)
    on_hub = do == "serve" and cdn and "/resolve/" in request.path
    if on_hub and told.get("gated") and "authorization" not in request.headers:
        request.head(401, {"X-Error-Code": "GatedRepo", "Content-Length": 0})
        return
    if not (root / place_of(request)).is_file():
        request.head(404, {"X-Error-Code": "EntryNotFound", "Content-Length": 0})
        return
    data = stored(request, root)
    if on_hub and told.get("cdn") and hub_api.is_large(request.path):
        sha256 = hashlib.sha256(data).hexdigest()
        linked = {"X-Linked-Size": len(data), "X-Linked-ETag": f'"{sha256}"'}
        to = f"{cdn}/cdn/{place_of(request)}"
        request.head(302, {"Content-Length": 0, "Location": to, **linked})
        return
    if told.get("etags"):
        rule = rule | {"headers": hub_api.marks(request.path, data) | rule.get("headers", {})}
    send_file(request, rule, data)


def place_of(request: Request) -> str:
    return unquote(re.sub(r"^/cdn/|^.*?/resolve/[^/]+/", "", request.path))


def stored(request: Request, root: Path) -> bytes:
    return (root / place_of(request)).read_bytes()


def send_file(request: Request, rule: Rule, data: bytes) -> None:
    do, start, by = rule["do"], request.start, rule.get("by", 3)
    if do == "changed":
        data = data + b"x" * by
    if do == "corrupt":
        at = rule.get("at", len(data) // 2)
        data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    if do == "ignore_range":
        start = None
    total, part = len(data), data[start or 0 :]
    length = {"truncate": len(part) - by, "extra": len(part) + by}.get(do, len(part))
    headers: dict[str, object] = {"Content-Type": "application/octet-stream"}
    headers |= {"Content-Length": length, **rule.get("headers", {})}
    if do in ("chunked", "chunked_extra"):
        del headers["Content-Length"]
        headers["Transfer-Encoding"] = "chunked"
    if start is not None:
        if start >= total:
            request.head(416, {"Content-Range": f"bytes */{total}", "Content-Length": 0})
            return
        first = start + (by if do == "shift_head" else 0)
        headers["Content-Range"] = (
            f"bytes {first}-{total - 1}/{total + (by if do == 'wrong_total' else 0)}"
        )
    request.head(200 if start is None else 206, headers)
    send_body(request, rule, (part + b"y" * by)[: max(length, 0)])


def send_body(request: Request, rule: Rule, part: bytes) -> None:
    do, after = rule["do"], rule.get("after", 0)
    if request.method == "HEAD":
        return
    if do == "shift":
        part = part[3:] + b"abc"
    if do in ("chunked", "chunked_extra"):
        part += b"y" * 3000 if do == "chunked_extra" else b""
        for begin in range(0, len(part), PIECE):
            piece = part[begin : begin + PIECE]
            request.link.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            request.sent += len(piece)
        request.link.sendall(b"0\r\n\r\n")
    elif do == "drip":
        request.body(part[:after])
        request.drip(part[after:])
    elif do in ("cut", "rst", "stall") or (do == "ignore_range" and after):
        request.body(part[:after], rule.get("rate"))
        if len(part) > after:
            if do == "rst":
                request.reset()
            if do == "stall":
                request.silence()
            raise Gone
    else:
        request.body(part, rule.get("rate"))


def serve(link: socket.socket, plan: Plan, log: Log, root: Path, cdn: str, place: str) -> None:
    with contextlib.suppress(Gone, OSError), contextlib.closing(link):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                more = link.recv(65536)
                if not more:
                    return
                buffer += more
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            if head.startswith(b"CONNECT "):
                tunnel(link, head.split()[1].decode(), log)
                return
            request = Request(link, head)
            rule = plan.rule(request)
            began = time.time()
            try:
                answer(request, rule, root, cdn)
            finally:
                log.write(
                    place=place,
                    path=request.path,
                    headers=request.headers,
                    do=rule["do"],
                    status=request.status,
                    sent=request.sent,
                    began=began,
                )


def tunnel(link: socket.socket, target: str, log: Log) -> None:
    """Be a proxy: pass everything on, both ways, until one side ends."""
    log.write(place="proxy", path=target, headers={}, do="tunnel", status=200, sent=0)
    host, _, port = target.partition(":")
    try:
        far = socket.create_connection((host, int(port)))
    except OSError:
        link.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        return
    with far:
        link.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")

        def pass_on(source: socket.socket, to: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    to.sendall(data)
            for end in (source, to):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        back = threading.Thread(target=pass_on, args=(far, link), daemon=True)
        back.start()
        pass_on(link, far)
        back.join()


def listen(
    place: str, plan: Plan, log: Log, root: Path, cdn: str, tls: list[str], port: int = 0
) -> str:
    """Start one port and return its address."""
    server = socket.create_server(("127.0.0.1", port), backlog=64)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
    if context:
        context.load_cert_chain(*tls)

    def handle(link: socket.socket) -> None:
        if context:
            try:
                link = context.wrap_socket(link, server_side=True)
            except OSError:
                log.write(place=place, path="", headers={}, do="tls refused", status=0, sent=0)
                return
        serve(link, plan, log, root, cdn, place)

    def accept() -> None:
        while True:
            threading.Thread(target=handle, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"{'https' if tls else 'http'}://127.0.0.1:{server.getsockname()[1]}"


def main(root: str, plan: str, log: str, port: str, *tls: str) -> None:
    shared = Plan(json.loads(plan)), Log(Path(log)), Path(root)
    cdn = listen("cdn", *shared, "", list(tls))
    hub = listen("hub", *shared, cdn, list(tls), int(port))
    print(hub, cdn, flush=True)
    sys.stdin.read()  # until whoever started this is gone


if __name__ == "__main__":
    main(*sys.argv[1:])
