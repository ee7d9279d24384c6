"""SMTP (RFC 5321), pipelined where the server offers it (RFC 2920). The only module that knows reply codes.

The next message's envelope leaves with this message's last byte: one write and one round trip a message.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import struct
from collections.abc import Generator
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from worker.transports.answers import Accepted, Answer, Deferred, NoAnswer, Outgoing, Refused, Unavailable
from worker.transports.words import plainly, readable

if TYPE_CHECKING:
    from worker.transports import Load

PATIENCE = 600.0  # seconds to wait for the answer to a message: RFC 5321 §4.5.3.2.6
LOCAL = ("localhost", "127.0.0.1", "::1")
ROOM_TO_SEND = 256 * 1024  # bytes
LONGEST_REPLY = 64 * 1024  # bytes; what goes on for longer is no mail server

_BROKEN = (smtplib.SMTPException, OSError)

_ANSWERED = re.compile(rb"(250 [^\r\n]*)\r?\n")
_OTHERWISE = re.compile(rb"(?!250 )(?:[^\n]*\n)")  # a line, and another one than that
_OPENED = re.compile(rb"250 [^\n]*\n250 [^\n]*\n354 [^\n]*\n")

Reply = tuple[int, str]
Result = TypeVar("Result")
Waits = Generator[float, None, Result]  # yields the seconds that it will wait for the server, then returns its result


def connect(url: str, timeout: float) -> "SmtpSession":
    """Connect as `smtp://` or `smtps://` says; TLS is verified, and left out only on this machine or with ?tls=none."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    smtp = (
        smtplib.SMTP_SSL(local_hostname=_our_name(), timeout=timeout, context=_verified())
        if parts.scheme == "smtps"
        else smtplib.SMTP(local_hostname=_our_name(), timeout=timeout)
    )
    try:
        _greet(smtp, parts, host)
        return SmtpSession(smtp, timeout)
    except smtplib.SMTPResponseException as error:
        smtp.close()
        raise Unavailable(_words(error.smtp_code, error.smtp_error)) from None
    except _BROKEN as error:
        smtp.close()
        raise Unavailable(f"No connection to the mail server at {host}: {plainly(error)}") from None


class SmtpSession:
    def __init__(self, smtp: smtplib.SMTP, timeout: float) -> None:
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        self._smtp = smtp
        self._socket: socket.socket = smtp.sock
        self._timeout = timeout
        self._pipelines = smtp.has_extn("pipelining")
        self._announces_size = smtp.has_extn("size")
        self._unread = b""
        self._patience = 0.0
        self._is_encrypted = isinstance(self._socket, ssl.SSLSocket)
        self._needs_reset = False  # after a refusal, else every later MAIL is answered with 503
        self._is_fresh = True  # nothing has been accepted or refused on it yet
        self.is_open = True
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # nothing of ours may wait for an ACK
        self._wait_at_most(timeout)
        # A message that fits into the system's buffer keeps nobody else waiting while it is sent.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM_TO_SEND)

    def carry(self, load: "Load") -> None:
        for _ in self.steps(load):
            pass  # the next step waits for the server by itself

    def steps(self, load: "Load") -> Generator[float, None, None]:
        """`carry`, piece by piece: yields where it waits for the server, and for how many seconds at most."""
        try:
            message = yield from self._opened(load, load.next())
            while message is not None:
                message = yield from self._hand_over(load, message)
        except BaseException:
            self._drop()
            raise

    @property
    def descriptor(self) -> int | None:
        """What tells whether the server has said something. None where only reading tells, as under encryption."""
        return None if self._is_encrypted else self._socket.fileno()

    def close(self) -> None:
        with contextlib.suppress(*_BROKEN):
            if self.is_open:
                self._wait_at_most(5)
                self._smtp.quit()
        self._drop()

    def _hand_over(self, load: "Load", message: Outgoing) -> Waits[Outgoing | None]:
        """Send a message that the server waits for. Returns the next one that it waits for."""
        following = load.next()
        try:
            load.handing_over(message)
        except BaseException:  # without the dot there is no message: RFC 5321 §4.1.1.4
            _return(load, message, following)
            raise
        envelope = "".join(self._envelope(following)).encode("ascii") if following and self._pipelines else b""
        try:
            # No line of it begins with a dot, so there is nothing to stuff (§4.5.2): looking costs as much as sending.
            self._send(*message.parts, b".\r\n", envelope)
            while not self._unread or not ((heard := _ANSWERED.match(self._unread)) or _OTHERWISE.match(self._unread)):
                yield from self._more(PATIENCE)
            if heard:  # as nearly always: 250 to this message, on one line
                self._unread = self._unread[heard.end() :]
                code = 250
                answer: Answer = Accepted(readable(heard[1].decode("utf-8", "replace"))[:500])
            else:
                code, words = yield from self._reply(PATIENCE)
                answer = _answer(code, words)
        except _BROKEN as error:
            load.answered(message, NoAnswer(f"The mail server broke off before it answered: {plainly(error)}"))
            _return(load, following)
            raise Unavailable(f"The mail server broke off: {plainly(error)}") from None
        load.answered(message, answer)
        if code == 421 or isinstance(answer, NoAnswer):  # what it will say next is anybody's guess
            _return(load, following)
            raise Unavailable(answer.reply)
        self._is_fresh = False
        if envelope and not self._needs_reset and (heard := _OPENED.match(self._unread)):
            self._unread = self._unread[heard.end() :]
            return following  # as nearly always: MAIL, RCPT and DATA are taken
        return (yield from self._opened(load, following, is_sent=bool(envelope)))

    def _opened(self, load: "Load", message: Outgoing | None, *, is_sent: bool = False) -> Waits[Outgoing | None]:
        """The first message, from this one on, whose envelope the server takes: it now waits for the content."""
        while message is not None:
            refusal = yield from self._refusal(load, message, is_sent=is_sent)
            if refusal is None:
                return message
            load.answered(message, refusal)
            self._is_fresh = False
            message, is_sent = load.next(), False
        return None

    def _refusal(self, load: "Load", message: Outgoing, *, is_sent: bool) -> Waits[Refused | Deferred | None]:
        """None: the server waits for the content."""
        commands = self._envelope(message)
        heard: list[Reply] = []
        try:
            if self._pipelines and not is_sent:
                self._send("".join(commands).encode("ascii"))
            for command in commands:
                if not self._pipelines:
                    self._send(command.encode("ascii"))
                heard.append((yield from self._reply(self._timeout)))
                if heard[-1][0] == 421 or (not self._pipelines and not 200 <= heard[-1][0] < 400):
                    break
        except _BROKEN as error:
            words = f"The mail server broke off: {plainly(error)}"
            # Many servers close after so many messages: only on a fresh connection may it be this one that it minds.
            if self._is_fresh and (heard or self._pipelines):
                load.answered(message, Deferred(words))
            else:
                load.returned(message)
            raise Unavailable(words) from None
        return (yield from self._judged(load, message, heard[1:] if self._needs_reset else heard))

    def _judged(self, load: "Load", message: Outgoing, heard: list[Reply]) -> Waits[Refused | Deferred | None]:
        """What the answers to MAIL, RCPT and DATA mean. As many as were heard."""
        self._needs_reset = False
        if not heard or heard[0][0] != 250:  # about us, not about this reader
            load.returned(message)
            raise Unavailable(heard[0][1] if heard else "421")
        code, words = next((each for each in heard[1:] if not 200 <= each[0] < 300), (0, ""))
        if code == 354:
            return None
        refusal = _refused(code, words)
        if code == 421 or refusal is None:
            load.answered(message, Deferred(words))
            raise Unavailable(words or "The mail server's answers make no sense.")
        if heard[-1][0] == 354:  # in spite of the refused recipient: a message without recipients reaches nobody
            yield from self._end_empty(load, message)
        else:
            self._needs_reset = True
        return refusal

    def _end_empty(self, load: "Load", message: Outgoing) -> Waits[None]:
        try:
            self._send(b".\r\n")
            yield from self._reply(self._timeout)
        except _BROKEN as error:
            load.returned(message)
            raise Unavailable(f"The mail server broke off: {plainly(error)}") from None

    def _envelope(self, message: Outgoing) -> list[str]:
        size = f" SIZE={sum(map(len, message.parts))}" if self._announces_size else ""
        envelope = [f"MAIL FROM:<{message.sender}>{size}\r\n", f"RCPT TO:<{message.recipient}>\r\n", "DATA\r\n"]
        return ["RSET\r\n", *envelope] if self._needs_reset else envelope

    def _send(self, *parts: bytes) -> None:
        """In one go, and as one piece: the system takes longer over many than we do over joining them."""
        self._socket.sendall(b"".join(parts))

    def _reply(self, patience: float) -> Waits[Reply]:
        """One reply, whole: its code, and all its words on one line. Raises OSError when there is none."""
        lines: list[bytes] = []
        while True:
            line = yield from self._line(patience)
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                break
        code = int(line[:3]) if line[:3].isdigit() else 0
        return code, _words(code, b" ".join(lines)) if code else readable(line.decode("utf-8", "replace"))[:500]

    def _line(self, patience: float) -> Waits[bytes]:
        while (end := self._unread.find(b"\n")) < 0:
            yield from self._more(patience)
        line, self._unread = self._unread[: end + 1], self._unread[end + 1 :]
        return line

    def _more(self, patience: float) -> Waits[None]:
        self._wait_at_most(patience)
        yield patience
        more = self._socket.recv(8192)
        if not more or len(self._unread) > LONGEST_REPLY:
            raise smtplib.SMTPServerDisconnected("it closed the connection.")
        self._unread += more

    def _wait_at_most(self, seconds: float) -> None:
        """For an answer, and for room to send. Told to the system: Python's own time-outs double the calls to it."""
        if seconds == self._patience:
            return
        self._patience = seconds
        if self._is_encrypted:
            self._socket.settimeout(seconds)
            return
        self._socket.settimeout(None)
        at_most = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, at_most)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, at_most)

    def _drop(self) -> None:
        self.is_open = False
        self._smtp.close()


def _return(load: "Load", *messages: Outgoing | None) -> None:
    for message in messages:
        if message is not None:
            load.returned(message)


def _greet(smtp: smtplib.SMTP, parts: SplitResult, host: str) -> None:
    code, words = smtp.connect(host, parts.port or (465 if parts.scheme == "smtps" else 25))
    if code != 220:
        raise smtplib.SMTPConnectError(code, words)
    smtp._host = host  # type: ignore[attr-defined]  # smtplib checks the certificate against it and sets it only itself
    if parts.scheme == "smtp" and _wants_tls(host, parts.username, parse_qs(parts.query)):
        smtp.starttls(context=_verified())
    smtp.ehlo_or_helo_if_needed()
    if parts.username:
        smtp.login(unquote(parts.username), unquote(parts.password or ""))


@cache
def _our_name() -> str:
    return socket.getfqdn()  # asks the DNS: once is enough


def _verified() -> ssl.SSLContext:
    return ssl.create_default_context()


def _wants_tls(host: str, username: str | None, query: dict[str, list[str]]) -> bool:
    asked = query.get("tls", [""])[0]
    return asked != "none" and (asked == "required" or bool(username) or host not in LOCAL)


def _answer(code: int, words: str) -> Answer:
    if 200 <= code < 300:
        return Accepted(words)
    return _refused(code, words) or NoAnswer(f"The mail server's answer says neither yes nor no: {words}")


def _refused(code: int, words: str) -> Refused | Deferred | None:
    """None: a code that is no refusal."""
    if 400 <= code < 500:
        return Deferred(words)
    return Refused(words) if 500 <= code < 600 else None


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return readable(f"{code} {text}")[:500]
