"""A connection that delays, cuts, or loses the answer to a COMMIT: a TCP proxy before the database."""

import contextlib
import random
import socket
import threading
import time
from types import TracebackType
from typing import Self

COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"  # CommandComplete: the server has committed


class Proxy:
    """Passes everything on until it is told otherwise. What it is told holds for one connection, then no more."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.delay = 0.0  # seconds for each piece that the server sends
        self.lost = 0  # answers to a COMMIT that never arrived
        self.lose_answers = 0.0  # with this probability
        self._cut_after: int | None = None
        self._half_close = False
        self._dice = random.Random()
        self._open: set[socket.socket] = set()

    def seeded(self, dice: random.Random) -> Self:
        self._dice = dice
        return self

    def cut_after(self, count: int) -> None:
        """The next connection that brings so many bytes from the server breaks off there."""
        self._cut_after = count

    def half_close(self) -> None:
        """The next connection on which the server speaks is closed towards the client only."""
        self._half_close = True

    def cut_all(self) -> None:
        for each in list(self._open):
            _close(each)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                continue
            self._open |= {client, server}
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target, source is server), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        try:
            while piece := source.recv(65536):
                if is_answer and not self._may_arrive(piece, target):
                    break
                target.sendall(piece)
        except OSError:
            pass
        finally:
            for each in (source, target):
                self._open.discard(each)
                _close(each)

    def _may_arrive(self, piece: bytes, client: socket.socket) -> bool:
        """False: what the server says does not arrive, and the connection ends."""
        time.sleep(self.delay)
        if COMMITTED in piece and self._dice.random() < self.lose_answers:
            self.lost += 1
            return False
        if self._half_close:
            self._half_close = False
            client.shutdown(socket.SHUT_WR)
            return False
        if self._cut_after is not None:
            self._cut_after -= len(piece)
            if self._cut_after <= 0:
                self._cut_after = None
                return False
        return True


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
