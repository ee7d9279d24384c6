"""A mailbox behind IMAP4rev1 (RFC 3501): as much of it as a program needs that looks for new mail, and told what to do.

Not a friend of its client: it answers what it was asked, keeps flags by UID, and breaks off where a test says.
"""

import re
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_COMMAND = re.compile(rb"(\S+) (UID )?(\S+) ?(.*)", re.DOTALL)


@dataclass
class Stored:
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer(socketserver.ThreadingTCPServer):
    """On a free port of this machine; `with ImapServer() as server`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, user: str = "bounces@example.org", password: str = 'a "quoted\\" word') -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.user, self.password = user, password
        self.folder = "INBOX"
        self.messages: dict[int, Stored] = {}
        self.log: list[str] = []  # commands as they came, without their arguments
        self.before_store: Callable[[], object] = lambda: None
        self.breaks_off_at = ""  # a command that is answered by closing the connection
        self._next = 1

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def put(self, *raws: bytes) -> None:
        for raw in raws:
            self.messages[self._next] = Stored(raw)
            self._next += 3  # UIDs grow, and have gaps

    @property
    def flags(self) -> list[set[str]]:
        return [self.messages[uid].flags for uid in sorted(self.messages)]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()


class _Connection(socketserver.StreamRequestHandler):
    server: ImapServer

    def handle(self) -> None:
        self._say("* OK [CAPABILITY IMAP4rev1] ready")
        self.is_in = self.is_selected = False
        while line := self.rfile.readline():
            found = _COMMAND.fullmatch(line.rstrip(b"\r\n"))
            if not found:
                self._say("* BAD")
                continue
            tag, name = found[1].decode(), found[3].decode().upper()
            self.server.log.append(name)
            if name == self.server.breaks_off_at:
                return
            self._say(f"{tag} {self._do(name, bool(found[2]), found[4].decode())} {name} done")
            if name == "LOGOUT":
                return

    def _do(self, name: str, by_uid: bool, rest: str) -> str:
        if name == "CAPABILITY":
            self._say("* CAPABILITY IMAP4rev1")
            return "OK"
        if name == "LOGOUT":
            self._say("* BYE")
            return "OK"
        if name == "LOGIN":
            given = re.fullmatch(r'(\S+) "((?:[^"\\]|\\.)*)"', rest)
            password = re.sub(r"\\(.)", r"\1", given[2]) if given else ""
            self.is_in = bool(given and given[1].strip('"') == self.server.user and password == self.server.password)
            return "OK" if self.is_in else "NO [AUTHENTICATIONFAILED] wrong"
        if not self.is_in:
            return "BAD not signed in"
        if name == "SELECT":
            self.is_selected = rest.strip('"') == self.server.folder
            if self.is_selected:
                self._say(f"* {len(self.server.messages)} EXISTS\r\n* OK [UIDVALIDITY 7]")
            return "OK [READ-WRITE]" if self.is_selected else "NO there is no such folder"
        if not (by_uid and self.is_selected):
            return "BAD"
        return {"SEARCH": self._search, "FETCH": self._fetch, "STORE": self._store}[name](rest)

    def _search(self, rest: str) -> str:
        unwanted = {"UNSEEN": "\\Seen", "UNFLAGGED": "\\Flagged", "UNDELETED": "\\Deleted"}
        without = {unwanted[key] for key in rest.split()}  # a KeyError is a test that found something
        found = [str(uid) for uid, message in self.server.messages.items() if not without & message.flags]
        self._say(" ".join(["* SEARCH", *found]))
        return "OK"

    def _fetch(self, rest: str) -> str:
        asked = re.fullmatch(r"(\d+) \(UID BODY\.PEEK\[\]<0\.(\d+)>\)", rest)
        assert asked, rest
        message = self.server.messages.get(int(asked[1]))
        if message:
            part = message.raw[: int(asked[2])]
            self.wfile.write(b"* 1 FETCH (UID %s BODY[]<0> {%d}\r\n" % (asked[1].encode(), len(part)) + part + b")\r\n")
        return "OK"

    def _store(self, rest: str) -> str:
        asked = re.fullmatch(r"(\d+) \+FLAGS\.SILENT \((\S+)\)", rest)
        assert asked, rest
        self.server.before_store()
        self.server.messages[int(asked[1])].flags.add(asked[2])
        return "OK"

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
