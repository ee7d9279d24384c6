"""A network of strangers: every name leads to a public address, and every connection to a small server of the test."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.resolver

from newsletter.fetching import Fetcher

PUBLIC = "93.184.215.14"


@dataclass
class Network:
    """Small servers that answer one request on each connection with the bytes that a test gives."""

    answers: dict[str, bytes | Callable[[socket.socket], None]] = field(default_factory=dict)  # by host + target
    names: dict[str, list[list[str]]] = field(default_factory=dict)  # answers of the DNS, one after the other
    missing: set[str] = field(default_factory=set)  # names that nobody has
    dialled: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # the requests as they came
    resolved: list[str] = field(default_factory=list)

    def fetcher(self, **given: object) -> Fetcher:
        return Fetcher("reads a page for a test", self.resolve, self.dial, **given)  # type: ignore[arg-type]  # what a test changes

    def resolve(self, name: str, seconds: float) -> list[str]:
        self.resolved.append(name)
        if name in self.missing:
            raise dns.resolver.NXDOMAIN
        answers = self.names.get(name, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        self.dialled.append(f"{address}:{port}")
        ours, theirs = socket.socketpair()
        ours.settimeout(seconds)
        threading.Thread(target=self._serve, args=(theirs,), daemon=True).start()
        return ours

    def _serve(self, line: socket.socket) -> None:
        with line:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = line.recv(4096)
                if not piece:
                    return
                request += piece
            text = request.decode()
            self.asked.append(text)
            host = text.split("\r\nHost: ")[1].split("\r\n")[0]
            try:
                self.answer(line, host, text.split(" ")[1], text)
            except OSError:
                return  # hung up on

    def answer(self, line: socket.socket, host: str, target: str, request: str) -> None:
        answer = self.answers[host + target]
        answer(line) if callable(answer) else line.sendall(answer)


def page(body: bytes = b"<title>Ink</title>", kind: str = "text/html; charset=utf-8", **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def to(place: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Elsewhere\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
