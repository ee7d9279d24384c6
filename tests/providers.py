"""Providers on loopback: real HTTP servers that answer as the documented APIs do, and misbehave when told to."""

import base64
import json
import re
import socket
import struct
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP, default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass
class Said:
    """An answer: to one request instead of the usual one, or for one recipient."""

    status: int
    body: Any = ""  # a text as it is, anything else as JSON
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


# What may happen to a request that sends, instead of an answer.
CUT_BEFORE = "the connection breaks before the request is read"
CUT_AFTER = "the messages are taken and the connection breaks"
CUT_WITHIN = "the messages are taken and the answer breaks off"
SILENT = "the messages are taken and nothing is said"
GARBLED = "the messages are taken and the answer is no JSON"
ENDLESS = "the messages are taken and the answer does not end"


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Provider:
    """What they have in common. `orders` are worked off by requests that send, one each; None: as usual."""

    key: str = "the-secret-key"
    orders: deque[Said | str | None] = field(default_factory=deque)
    refusals: dict[str, Any] = field(default_factory=dict)  # by recipient, in the provider's own words
    account: Said | None = None  # to who asks about the account, instead of the usual
    accepted: list[tuple[str, Any]] = field(default_factory=list)  # recipient, and what was said about the message
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    requests_per_connection: int = 1_000_000

    def __enter__(self) -> Self:
        self.stopped = threading.Event()
        self._sockets: set[socket.socket] = set()

        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """As a server that is switched off: every connection breaks."""
        if not self.stopped.is_set():
            self.stopped.set()
            self._server.shutdown()
            self._server.server_close()
            for connection in list(self._sockets):
                cut(connection)

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def copies(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.accepted)

    def respond(self, request: Request) -> Said:
        raise NotImplementedError

    def sends(self, request: Request) -> bool:
        return request.method == "POST"

    def entered(self, connection: socket.socket) -> None:
        self.connections += 1
        self._sockets.add(connection)

    def left(self, connection: socket.socket) -> None:
        self._sockets.discard(connection)


class _Handler(BaseHTTPRequestHandler):
    fake: Provider
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.fake.entered(self.connection)
        self.count = 0

    def finish(self) -> None:
        self.fake.left(self.connection)
        super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, b"")
        is_sending = self.fake.sends(request) and headers.get("content-type") != "application/x-www-form-urlencoded"
        order = self.fake.orders.popleft() if is_sending and self.fake.orders else None
        if order == CUT_BEFORE or self.fake.stopped.is_set():
            self._cut()
            return
        request.body = self.rfile.read(int(headers.get("content-length", 0)))
        self.fake.requests.append(request)
        if isinstance(order, Said):
            self._say(order)
            return
        said = self.fake.respond(request)
        if order is None:
            self._say(said)
        else:
            self._misbehave(str(order), said)

    def _misbehave(self, order: str, said: Said) -> None:
        if order == SILENT:
            self.fake.stopped.wait(10)
        elif order == GARBLED:
            self._say(Said(said.status, '{"id": '))
            return
        elif order == CUT_WITHIN:
            self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(said.bytes)}\r\n\r\n".encode() + said.bytes[:9])
            time.sleep(0.05)
        elif order == ENDLESS:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self.fake.stopped.is_set():
                self.wfile.write(b" " * 65536)
        self._cut()

    def _say(self, said: Said) -> None:
        self.count += 1
        self.send_response(said.status)
        for name, value in {"Content-Type": "application/json", **said.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.bytes)))
        self.end_headers()
        self.wfile.write(said.bytes)
        self.close_connection = self.count >= self.fake.requests_per_connection  # without a word, as some do

    def _cut(self) -> None:
        self.close_connection = True
        cut(self.connection)

    def log_message(self, *args: object) -> None:
        pass


@dataclass
class FakeSes(Provider):
    """Amazon SES v2. What was signed is checked by whoever starts it: `signature_of` says what it should be."""

    configuration_sets: tuple[str, ...] = ("news",)

    @property
    def url(self) -> str:
        return f"ses://AKIDEXAMPLE:{self.key}@eu-west-1?endpoint={self.endpoint}"

    def respond(self, request: Request) -> Said:
        if "Credential=AKIDEXAMPLE/" not in request.headers.get("authorization", ""):
            return _ses_error(403, "UnrecognizedClientException", "The security token included is invalid.")
        if request.path == "/v2/email/account":
            return self.account or Said(200, {"SendingEnabled": True, "ProductionAccessEnabled": True})
        asked = request.json
        if asked.get("ConfigurationSetName", "news") not in self.configuration_sets:
            return _ses_error(404, "NotFoundException", "Configuration set does not exist.")
        recipient = asked["Destination"]["ToAddresses"][0]
        if recipient in self.refusals:
            return _ses_error(*self.refusals[recipient])
        self.accepted.append((recipient, asked))
        return Said(200, {"MessageId": f"ses-{len(self.accepted)}"})


def _ses_error(status: int, kind: str, words: str) -> Said:
    return Said(status, {"message": words}, {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/"})


@dataclass
class FakePostmark(Provider):
    """`refusals`: error code and words."""

    @property
    def url(self) -> str:
        return f"postmark://{self.key}@?endpoint={self.endpoint}"

    def respond(self, request: Request) -> Said:
        if request.headers.get("x-postmark-server-token") != self.key:
            return Said(401, {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied."})
        if request.path == "/server":
            return self.account or Said(200, {"ID": 1, "Name": "Letters"})
        assert request.path == "/email/batch"
        emails = request.json
        if len(emails) > 500:
            return Said(422, {"ErrorCode": 410, "Message": "Too many batch messages"})
        return Said(200, [self._one(email) for email in emails])

    def _one(self, email: dict[str, Any]) -> dict[str, Any]:
        if email["To"] in self.refusals:
            code, words = self.refusals[email["To"]]
            return {"ErrorCode": code, "Message": words}
        self.accepted.append((email["To"], email))
        return {"ErrorCode": 0, "Message": "OK", "To": email["To"], "MessageID": f"pm-{len(self.accepted)}"}


@dataclass
class FakeMailgun(Provider):
    """`refusals`: the words of a 400."""

    domain: str = "letters.example.org"

    @property
    def url(self) -> str:
        return f"mailgun://{self.key}@{self.domain}?endpoint={self.endpoint}"

    def respond(self, request: Request) -> Said:
        expected = base64.b64encode(f"api:{self.key}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return Said(401, "Forbidden")
        if request.path != f"/v3/{self.domain}/messages.mime":
            return Said(404, {"message": "Domain not found"})
        if request.headers["content-type"] == "application/x-www-form-urlencoded":
            return self.account or Said(400, {"message": "to parameter is missing"})
        form = form_of(request)
        recipient = form["to"].decode()
        if recipient in self.refusals:
            return Said(400, {"message": self.refusals[recipient]})
        self.accepted.append((recipient, form))
        return Said(200, {"id": f"<mg-{len(self.accepted)}@{self.domain}>", "message": "Queued. Thank you."})


@dataclass
class FakeResend(Provider):
    """`refusals`: the words of a validation error. Keeps idempotency keys, as they do for 24 hours."""

    keys: dict[str, tuple[bytes, Said]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"resend://{self.key}@?endpoint={self.endpoint}"

    def respond(self, request: Request) -> Said:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return _resend_error(400, "invalid_api_key", "API key is invalid")
        if request.path == "/domains":
            return self.account or _resend_error(401, "restricted_api_key", "This API key is restricted to send emails")
        assert request.path == "/emails/batch"
        key = request.headers["idempotency-key"]
        if key in self.keys:
            body, said = self.keys[key]
            return said if body == request.body else _resend_error(409, "invalid_idempotent_request", "Other payload")
        said = self._taken(request)
        self.keys[key] = request.body, said
        return said

    def _taken(self, request: Request) -> Said:
        emails = request.json
        errors = [
            {"index": at, "message": self.refusals[email["to"][0]]}
            for at, email in enumerate(emails)
            if email["to"][0] in self.refusals
        ]
        if errors and request.headers.get("x-batch-validation") != "permissive":
            return _resend_error(422, "validation_error", errors[0]["message"])
        ids = []
        for email in emails:
            if email["to"][0] not in self.refusals:
                self.accepted.append((email["to"][0], email))
                ids.append({"id": f"re-{len(self.accepted)}"})
        return Said(200, {"data": ids, **({"errors": errors} if errors else {})})


def _resend_error(status: int, name: str, words: str) -> Said:
    return Said(status, {"statusCode": status, "name": name, "message": words})


def form_of(request: Request) -> dict[str, bytes]:
    """The fields of a multipart form, read by the standard library's parser but for the file, which must be exact."""
    found = re.search(r"boundary=(\S+)", request.headers["content-type"])
    assert found
    fields = {}
    for part in request.body.split(b"--" + found[1].encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        parsed = BytesParser(EmailMessage, policy=default.clone(linesep=HTTP.linesep)).parsebytes(head + b"\r\n\r\n")
        fields[str(parsed.get_param("name", header="content-disposition"))] = content.removesuffix(b"\r\n")
    return fields


def cut(connection: socket.socket) -> None:
    """With a reset, as by a machine that has lost its memory."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass
