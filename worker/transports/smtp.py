"""SMTP, one message at a time (RFC 5321). The only module that knows reply codes."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from worker.transports.answers import Accepted, BrokenOff, Deferred, NoAnswer, Refused, Unavailable

PATIENCE = 600.0  # seconds to wait for the answer to a message: RFC 5321 §4.5.3.2.6
LOCAL = ("localhost", "127.0.0.1", "::1")

_BROKEN = (smtplib.SMTPException, OSError)


def connect(url: str, timeout: float) -> "SmtpSession":
    """Connect as `smtp://` or `smtps://` says; TLS is verified, and left out only on this machine or with ?tls=none."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    smtp = (
        smtplib.SMTP_SSL(timeout=timeout, context=_verified())
        if parts.scheme == "smtps"
        else smtplib.SMTP(timeout=timeout)
    )
    try:
        _greet(smtp, parts, host)
    except smtplib.SMTPResponseException as error:
        smtp.close()
        raise Unavailable(_words(error.smtp_code, error.smtp_error)) from None
    except _BROKEN as error:
        smtp.close()
        raise Unavailable(f"No connection to the mail server at {host}: {_plainly(error)}") from None
    return SmtpSession(smtp, timeout)


class SmtpSession:
    def __init__(self, smtp: smtplib.SMTP, timeout: float) -> None:
        self._smtp = smtp
        self._timeout = timeout
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the dot must not wait for an ACK

    def hand_over(
        self, sender: str, recipient: str, message: bytes, *, before_dot: Callable[[], None]
    ) -> Accepted | Refused | Deferred:
        try:
            self._mail_from(sender, len(message))
        except _BROKEN as error:
            self._drop()
            raise Unavailable(f"The mail server broke off: {_plainly(error)}") from None
        try:
            refusal = self._rcpt_to(recipient)
            if refusal:
                return refusal
            self._socket.sendall(_stuffed(message))
        except _BROKEN as error:
            self._drop()
            raise BrokenOff(f"The mail server broke off: {_plainly(error)}") from None
        try:
            before_dot()
        except BaseException:
            self._drop()  # without the dot there is no message: RFC 5321 §4.1.1.4
            raise
        return self._dot()

    def close(self) -> None:
        with contextlib.suppress(*_BROKEN):
            self._socket.settimeout(5)
            self._smtp.quit()
        self._drop()

    def _mail_from(self, sender: str, size: int) -> None:
        announced = f" SIZE={size}" if self._smtp.has_extn("size") else ""
        code, words = self._smtp.docmd(f"MAIL FROM:<{sender}>{announced}")
        if code != 250:  # about us, not about this reader
            self._drop()
            raise Unavailable(_words(code, words))

    def _rcpt_to(self, recipient: str) -> Refused | Deferred | None:
        """RCPT and DATA; None when the server waits for the message."""
        code, words = self._smtp.docmd(f"RCPT TO:<{recipient}>")
        if code in (250, 251):
            code, words = self._smtp.docmd("DATA")
        if code == 354:
            return None
        refusal = _refusal(code, words)
        if code == 421 or refusal is None:
            self._drop()
            raise BrokenOff(_words(code, words))
        self._smtp.docmd("RSET")  # else every later MAIL is answered with 503
        return refusal

    def _dot(self) -> Accepted | Refused | Deferred:
        try:
            self._socket.settimeout(PATIENCE)
            self._socket.sendall(b".\r\n")
            code, words = self._smtp.getreply()
            self._socket.settimeout(self._timeout)
        except _BROKEN as error:
            self._drop()
            raise NoAnswer(f"The mail server broke off before it answered: {_plainly(error)}") from None
        if code == 421:
            self._drop()
        if 200 <= code < 300:
            return Accepted(_words(code, words))
        refusal = _refusal(code, words)
        if refusal is None:
            self._drop()
            raise NoAnswer(f"The mail server's answer says neither yes nor no: {_words(code, words)}")
        return refusal

    @property
    def _socket(self) -> socket.socket:
        if self._smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("the connection is closed")
        return self._smtp.sock

    def _drop(self) -> None:
        self._smtp.close()


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


def _verified() -> ssl.SSLContext:
    return ssl.create_default_context()


def _wants_tls(host: str, username: str | None, query: dict[str, list[str]]) -> bool:
    asked = query.get("tls", [""])[0]
    return asked != "none" and (asked == "required" or bool(username) or host not in LOCAL)


def _stuffed(message: bytes) -> bytes:
    """Ready for DATA: ends in CRLF, and no line is taken for the end (RFC 5321 §4.5.2)."""
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    if message.startswith(b".") or b"\r\n." in message:
        message = (b"\r\n" + message).replace(b"\r\n.", b"\r\n..")[2:]
    return message


def _refusal(code: int, words: bytes | str) -> Refused | Deferred | None:
    """None: a code that is no refusal."""
    if 400 <= code < 500:
        return Deferred(_words(code, words))
    return Refused(_words(code, words)) if 500 <= code < 600 else None


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return _readable(f"{code} {text}")[:500]


def _plainly(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there."
    return _readable(str(error) or type(error).__name__)[:300]


def _readable(text: str) -> str:
    """On one line, without the control characters that a page cannot show and PostgreSQL does not take."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
