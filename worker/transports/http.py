"""One kept HTTPS connection to a provider. It always knows whether a request can have been taken."""

import contextlib
import json
import ssl
import time
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from worker.transports.answers import Unavailable
from worker.transports.words import plainly, readable

PATIENCE = 120.0  # seconds to wait for the answer to a whole request
LARGEST = 4 * 1024 * 1024  # bytes of an answer; 500 results are a tenth of it
STALE = 20.0  # seconds without traffic, then providers may hang up at any moment, in the middle of a request too

_BROKEN = (HTTPError, HTTPException, OSError, ValueError)


class NotSent(Exception):
    """The request did not leave whole: nobody can have acted on it."""


class NoReply(Exception):
    """The request left whole, and there is no answer that tells what became of it."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:  # whatever a server sends: the caller checks
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def wait(self) -> float | None:
        """Retry-After in seconds (RFC 9110 §10.2.3), where it is a number."""
        asked = self.headers.get("retry-after", "").strip()
        return float(asked) if asked.isdigit() and len(asked) < 7 else None

    def text(self, *names: str) -> str:
        """The first of these members of a JSON object that is a text, on one line; else the beginning of the body."""
        said = self.json
        if isinstance(said, dict):
            for name in names:
                if isinstance(said.get(name), str) and said[name]:
                    return readable(said[name])[:400]
        return readable(self.body[:200].decode("utf-8", "replace"))


class Connection:
    """To one server. TLS is verified; redirects are answers like any other; proxies are not used."""

    def __init__(self, server: str, timeout: float, name: str) -> None:
        self._parts = urlsplit(server)
        self._timeout = timeout
        self._name = name
        self._http: HTTPConnection | None = None
        self._last = 0.0

    @property
    def host(self) -> str:
        """As the Host header has it."""
        return self._parts.netloc

    @property
    def is_open(self) -> bool:
        return self._http is not None

    def open(self) -> None:
        """Be connected, anew if the server has hung up. Raises Unavailable."""
        if self._http is not None and self._http.is_connected and time.monotonic() - self._last < STALE:
            return
        self.close()
        http = self._made()
        try:
            http.connect()
        except _BROKEN as error:
            http.close()
            why = error.__cause__ if isinstance(error.__cause__, OSError) else error
            raise Unavailable(f"No connection to {self._name} at {self._parts.hostname}: {plainly(why)}") from None
        self._http, self._last = http, time.monotonic()

    def ask(self, request: Request) -> Reply:
        """Raises NotSent or NoReply, after which the connection is closed. To be called when it is open."""
        http = self._http
        if http is None:
            raise NotSent("the connection is closed.")
        try:
            self._send(http, request)
            reply = self._reply(http)
        except BaseException:
            self.close()
            raise
        if http.sock is None:  # it asked us to close
            self.close()
        self._last = time.monotonic()
        return reply

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _made(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":  # only ever on this machine: address.Address.server
            return HTTPConnection(host, port or 80, timeout=self._timeout)
        return HTTPSConnection(host, port or 443, timeout=self._timeout, ssl_context=_verified())

    def _send(self, http: HTTPConnection, request: Request) -> None:
        headers = {"User-Agent": "Newsletter", "Accept": "application/json", "Accept-Encoding": "identity"}
        http.timeout = self._timeout
        if http.sock is not None:
            http.sock.settimeout(self._timeout)
        try:
            http.request(
                request.method,
                request.path,
                body=request.body if request.method != "GET" else None,
                headers=headers | request.headers,
                preload_content=False,
            )
        except _BROKEN as error:  # the kernel did not take all of it, so there is an end that they cannot have
            raise NotSent(plainly(error)) from None

    def _reply(self, http: HTTPConnection) -> Reply:
        until = time.monotonic() + PATIENCE
        http.timeout = PATIENCE
        try:
            with contextlib.closing(http.getresponse()) as response:
                body = b""
                while more := response.read1(65536):
                    body += more
                    if len(body) > LARGEST:
                        raise NoReply("the answer does not end.")
                    if time.monotonic() > until:
                        raise NoReply("no answer in time.")
        except _BROKEN as error:
            raise NoReply(plainly(error)) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, headers, body)


@cache
def _verified() -> ssl.SSLContext:
    return ssl.create_default_context()
