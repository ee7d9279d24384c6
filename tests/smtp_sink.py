"""A real SMTP server on loopback that answers as told and writes down every message it has accepted."""

import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


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
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"
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
        try:
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines)  # type: ignore[arg-type]
        except OSError:
            pass
        finally:
            self._open.discard(connection)

    def _talk(self, connection: socket.socket, lines: "socket.SocketIO") -> None:
        def say(text: str) -> None:
            connection.sendall(text.encode() + b"\r\n")

        say(self.greeting)
        recipient, taken = "", 0
        for line in iter(lines.readline, b""):
            verb = line[:4].upper()
            if verb == b"EHLO":
                say("250-sink.example\r\n250-SIZE 20000000\r\n250 8BITMIME")
            elif verb == b"RCPT":
                recipient = line.split(b"<")[1].split(b">")[0].decode()
                refusal = self._order(recipient, "at_rcpt")
                say(refusal or "250 2.1.5 ok")
            elif verb == b"DATA":
                if self._order(recipient, "cut", "at_data"):
                    _cut(connection)
                    return
                say("354 go ahead")
                if not self._take(connection, lines, recipient, say):
                    return
                taken += 1
                if taken >= self.messages_per_connection:
                    return
            elif verb == b"QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def _take(self, connection: socket.socket, lines: "socket.SocketIO", recipient: str, say: object) -> bool:
        if self._order(recipient, "cut", "before_dot"):
            lines.readline()
            _cut(connection)
            return False
        message = b""
        for line in iter(lines.readline, b".\r\n"):
            if not line:
                return False  # the client went away without the dot: no message
            message += line[1:] if line.startswith(b"..") else line
        time.sleep(self.delay)
        refusal = self._order(recipient, "at_dot")
        if refusal:
            assert callable(say)
            say(refusal)
            return True
        self.accepted.append((recipient, message))
        if self._order(recipient, "cut", "after_dot"):
            _cut(connection)
            return False
        assert callable(say)
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


def _cut(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()
    except OSError:
        pass
