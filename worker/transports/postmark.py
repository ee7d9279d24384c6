"""Postmark: batches of JSON. It puts the message together itself. https://postmarkapp.com/developer/api/email-api"""

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from worker.transports import address, pieces
from worker.transports.answers import Accepted, Deferred, NoAnswer, Outgoing, Refused, Unavailable
from worker.transports.http import Connection, NoReply, Reply, Request
from worker.transports.provider import (
    NO_SUCH_ADDRESS,
    NO_SUCH_MAILBOX,
    Busy,
    ProviderSession,
    Spoiled,
    Verdict,
    is_busy,
    knocked,
)
from worker.transports.words import readable

MOST = 500  # messages of a batch
USUAL = 100

# Error codes that are about us, and what an operator can do.
_OURS = {
    10: "the server token in MAIL_URL is wrong.",
    100: "it is down for maintenance.",
    400: "the sender’s address or domain is not known to it. Add it under Sender Signatures.",
    401: "the sender’s address is not confirmed. Look into its mailbox.",
    405: "the account is out of credit, or may not send.",
    412: "the account is waiting for approval and may only write to its own domain.",
    413: "the account may not send.",
    1235: "the message stream does not exist. Check ?stream= in MAIL_URL.",
    1236: "the message stream is of the wrong kind. Check ?stream= in MAIL_URL.",
    1237: "the message stream is archived. Check ?stream= in MAIL_URL.",
}
_INACTIVE = 406
_INVALID = 300
_TOO_FAST = 429


def connect(url: str, timeout: float) -> ProviderSession:
    """`postmark://server-token@?stream=broadcast&notices=outbound&batch=100`. Raises Unavailable."""
    where = address.read(url)
    if not where.user:
        raise Unavailable("MAIL_URL: Postmark needs postmark://server-token@.")
    connection = Connection(where.server("https://api.postmarkapp.com"), timeout, "Postmark")
    options = where.options
    postmark = Postmark(
        where.user,
        stream=options.get("stream", "broadcast"),
        notices=options.get("notices", "outbound"),
        batch=where.at_most(MOST, USUAL),
    )
    return knocked(postmark, connection)


class Postmark:
    name = "Postmark"
    repeats_safely = False

    def __init__(self, token: str, stream: str, notices: str, batch: int) -> None:
        self._headers = {"X-Postmark-Server-Token": token, "Content-Type": "application/json"}
        self._stream = stream
        self._notices = notices
        self.batch = batch

    def packed(self, message: Outgoing) -> bytes:
        parts = pieces.take_apart(message.content)
        is_bulk = bool(parts.header("List-Unsubscribe-Post"))
        headers = [*parts.headers, ("X-PM-KeepID", "true")]  # else it replaces Message-ID
        email: dict[str, object] = {
            "From": parts.sender,
            "To": message.recipient,
            "Subject": parts.subject,
            "TextBody": parts.text,
            "HtmlBody": parts.html,
            "Headers": [{"Name": name, "Value": value} for name, value in headers],
            "MessageStream": self._stream if is_bulk else self._notices,
            "TrackOpens": False,
            "TrackLinks": "None",
        }
        if parts.reply_to:
            email["ReplyTo"] = parts.reply_to
        if message.token:
            email["Metadata"] = {"token": message.token}
        if parts.attachments:
            email["Attachments"] = [
                {"Name": each.name, "ContentType": each.kind, "Content": b64encode(each.content).decode()}
                for each in parts.attachments
            ]
        return json.dumps(email).encode()

    def request(self, packed: Sequence[bytes]) -> Request:
        return Request("POST", "/email/batch", self._headers, b"[" + b",".join(packed) + b"]")

    def verdicts(self, reply: Reply) -> Sequence[Verdict]:
        said = reply.json
        if reply.status == 200:
            if not isinstance(said, list):
                raise NoReply("its answer makes no sense.")
            return [_verdict(each) for each in said]
        self._raise_if_ours(reply)
        if 400 <= reply.status < 500:
            alone = _verdict(said)
            if isinstance(alone, Refused | Deferred):
                raise Spoiled(alone)
            raise Spoiled(Deferred(f"Postmark: {reply.status} {reply.text('Message')}"))
        raise NoReply(f"{reply.status} {reply.text('Message')}")

    def knock(self, connection: Connection) -> None:
        """GET /server: the server that the token belongs to."""
        reply = connection.ask(Request("GET", "/server", self._headers))
        if reply.status != 429:
            self._raise_if_ours(reply)
            if reply.status != 200:
                raise Unavailable(f"Postmark is out of order: {reply.status} {reply.text('Message')}")

    def _raise_if_ours(self, reply: Reply) -> None:
        code, words = _code(reply.json), reply.text("Message")
        if reply.status == 401:
            raise Unavailable("Postmark says that the server token is wrong. Check MAIL_URL.")
        if is_busy(reply) and code != 100:
            raise Busy(self.name, reply, words)
        if code in _OURS:
            raise Unavailable(f"Postmark says: {_OURS[code]} ({words})")
        if reply.status == 403 or 300 <= reply.status < 400 or reply.status == 404:
            raise Unavailable(f"Postmark lets us not in: {reply.status} {words}")


def _code(said: Any) -> int:  # whatever a server sends
    code = said.get("ErrorCode") if isinstance(said, dict) else None
    return code if isinstance(code, int) else 0


def _verdict(said: Any) -> Verdict:  # whatever a server sends
    code = said.get("ErrorCode") if isinstance(said, dict) else None
    if not isinstance(code, int):
        return NoAnswer("Postmark’s answer says neither yes nor no.")
    words = readable(str(said.get("Message", "")))[:400]
    if code == 0:
        return Accepted(f"{words} {readable(str(said.get('MessageID', '')))}")
    if code == _TOO_FAST:
        return Unavailable(f"429 Postmark: {words}")
    if code in _OURS:
        return Unavailable(f"Postmark says: {_OURS[code]} ({words})")
    if code == _INVALID and "'From'" in words:
        return Unavailable(f"Postmark does not take the sender. ({words})")
    if code == _INACTIVE:
        return Refused(f"{NO_SUCH_MAILBOX} Postmark: {words}")
    if code == _INVALID and "'To'" in words:
        return Refused(f"{NO_SUCH_ADDRESS} Postmark: {words}")
    return Deferred(f"Postmark: {code} {words}")
