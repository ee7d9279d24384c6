"""A real SMTP server on loopback that answers as told and writes down every message it has accepted."""

import io
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self, cast


@dataclass
class Orders:
    """What to do for a recipient. Empty text: as a good server would."""

    at_rcpt: str = ""
    at_dot: str = ""
    cut: str = ""  # at_data (instead of 354) | before_dot (in the middle of it) | after_dot (kept, no answer)
    times: int = 1_000_000  # how often, then all is well


@dataclass
class SmtpSink:
    orders: dict[str, Orders] = field(default_factory=dict)
    greeting: str = "220 sink.example ESMTP"
    delay: float = 0.0  # seconds before each answer to a message
    messages_per_connection: int = 1_000_000
    says_421_after: int = 1_000_000  # messages of a connection
    pipelining: bool = True  # offered
    always_354: bool = False  # as some do, in spite of a refused recipient
    reads: int = 0  # how often anything came
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0
    port: int = 0  # to listen on; 0: any

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def copies(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.accepted)

    def stop(self) -> None:
        """As a server that is switched off: every connection breaks."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
            self._listener.close()
        for connection in list(self._open):
            _cut(connection)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection, io.BufferedReader(cast(Any, _Counted(self, connection)), 1 << 20) as lines:
                self._talk(connection, cast(BinaryIO, lines))
        except OSError:
            pass
        finally:
            self._open.discard(connection)

    def _talk(self, connection: socket.socket, lines: BinaryIO) -> None:
        def say(text: str) -> None:
            connection.sendall(text.encode() + b"\r\n")

        say(self.greeting)
        talk = _Talk()
        for line in iter(lines.readline, b""):
            if line[:4].upper() == b"DATA":
                if not self._data(connection, lines, talk, say):
                    return
            else:
                say(self._answer(line, talk))
            if talk.is_over or talk.taken >= self.messages_per_connection:
                return

    def _answer(self, line: bytes, talk: "_Talk") -> str:
        verb = line[:4].upper()
        if verb == b"EHLO":
            offered = "250-PIPELINING\r\n" if self.pipelining else ""
            return f"250-sink.example\r\n{offered}250-SIZE 20000000\r\n250 8BITMIME"
        if verb == b"MAIL":
            return self._begin(talk)
        if verb == b"RSET":
            talk.has_begun = talk.is_refused = False
        if verb == b"RCPT":
            talk.recipient = line.split(b"<")[1].split(b">")[0].decode()
            refusal = self._order(talk.recipient, "at_rcpt")
            talk.is_refused = bool(refusal)
            return refusal or "250 2.1.5 ok"
        talk.is_over = verb == b"QUIT"
        return "221 bye" if talk.is_over else "250 ok"

    def _begin(self, talk: "_Talk") -> str:
        if talk.taken >= self.says_421_after:
            talk.is_over = True
            return "421 4.3.2 shutting down"
        is_nested, talk.has_begun = talk.has_begun, True
        return "503 5.5.1 nested MAIL command" if is_nested else "250 ok"

    def _data(self, connection: socket.socket, lines: BinaryIO, talk: "_Talk", say: Callable[[str], None]) -> bool:
        """False: the connection is not of use any more."""
        if talk.is_refused and not self.always_354:
            say("503 5.5.1 no valid recipients")
            return True
        if self._order(talk.recipient, "cut", "at_data"):
            _cut(connection)
            return False
        say("354 go ahead")
        if not self._take(connection, lines, "" if talk.is_refused else talk.recipient, say):
            return False
        talk.taken += not talk.is_refused
        talk.has_begun = talk.is_refused = False
        return True

    def _take(self, connection: socket.socket, lines: BinaryIO, recipient: str, say: Callable[[str], None]) -> bool:
        if self._order(recipient, "cut", "before_dot"):
            lines.readline()
            _cut(connection)
            return False
        content: list[bytes] = []
        for line in iter(lines.readline, b".\r\n"):
            if not line:
                return False  # the client went away without the dot: no message
            content.append(line[1:] if line.startswith(b"..") else line)
        time.sleep(self.delay)
        if not recipient:
            say("554 5.5.1 no valid recipients")
            return True
        refusal = self._order(recipient, "at_dot")
        if refusal:
            say(refusal)
            return True
        self.accepted.append((recipient, b"".join(content)))
        if self._order(recipient, "cut", "after_dot"):
            _cut(connection)
            return False
        say("250 2.0.0 queued")
        return True

    def _order(self, recipient: str, what: str, equals: str = "") -> str:
        order = self.orders.get(recipient)
        if not order or order.times <= 0:
            return ""
        asked: str = getattr(order, what)
        if not asked or (equals and asked != equals):
            return ""
        order.times -= 1
        return asked


@dataclass
class _Talk:
    """How far one connection is."""

    recipient: str = ""
    taken: int = 0
    has_begun: bool = False
    is_refused: bool = False
    is_over: bool = False


class _Counted(io.RawIOBase):
    """A connection that counts how often something came over it."""

    def __init__(self, sink: SmtpSink, connection: socket.socket) -> None:
        self._sink, self._connection = sink, connection

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:  # a buffer
        self._sink.reads += 1
        return self._connection.recv_into(room)


def _cut(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()
    except OSError:
        pass
