"""Resend: batches of JSON with an idempotency key. It puts the message together itself.
https://resend.com/docs/api-reference/emails/send-batch-emails"""

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from worker.transports import address, pieces
from worker.transports.answers import Accepted, Deferred, Outgoing, Refused, Unavailable
from worker.transports.http import Connection, NoReply, Reply, Request
from worker.transports.provider import (
    NO_SUCH_ADDRESS,
    Busy,
    CannotCarry,
    ProviderSession,
    Spoiled,
    Verdict,
    is_busy,
    knocked,
)
from worker.transports.words import readable

MOST = 100  # messages of a batch

_OURS = {
    "missing_api_key": "it got no key. Check MAIL_URL.",
    "invalid_api_key": "the key is wrong. Check MAIL_URL.",
    "restricted_api_key": "this key may not send.",
    "invalid_access": "this key may not send.",
    "invalid_from_address": "the sender’s address is not one that it takes.",
    "not_found": "it does not know this request.",
    "daily_quota_exceeded": "the quota of today is used up.",
    "monthly_quota_exceeded": "the quota of this month is used up.",
    "security_error": "it has found a security problem in the account.",
}
_RECIPIENT = re.compile(r"[`'\"]to[`'\"]", re.IGNORECASE)


def connect(url: str, timeout: float) -> ProviderSession:
    """`resend://key@?batch=100`. Raises Unavailable."""
    where = address.read(url)
    if not where.user:
        raise Unavailable("MAIL_URL: Resend needs resend://key@.")
    connection = Connection(where.server("https://api.resend.com"), timeout, "Resend")
    return knocked(Resend(where.user, where.at_most(MOST, MOST)), connection)


class Resend:
    name = "Resend"
    repeats_safely = True  # for 24 hours

    def __init__(self, key: str, batch: int) -> None:
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.batch = batch

    def packed(self, message: Outgoing) -> bytes:
        parts = pieces.take_apart(message.content)
        if parts.attachments:
            raise CannotCarry("Resend’s batches carry no attachments.")
        email: dict[str, object] = {
            "from": parts.sender,
            "to": [message.recipient],
            "subject": parts.subject,
            "text": parts.text,
            "html": parts.html,
            "headers": dict(parts.headers),
        }
        if parts.reply_to:
            email["reply_to"] = parts.reply_to
        if message.token:
            email["tags"] = [{"name": "token", "value": message.token}]
        return json.dumps(email).encode()

    def request(self, packed: Sequence[bytes]) -> Request:
        headers = self._headers | {"Idempotency-Key": _key(packed), "x-batch-validation": "permissive"}
        return Request("POST", "/emails/batch", headers, b"[" + b",".join(packed) + b"]")

    def verdicts(self, reply: Reply) -> Sequence[Verdict]:
        if reply.status in {200, 201}:
            return _each(reply.json)
        kind, words = _kind(reply.json), reply.text("message")
        if reply.status == 409:  # a request with this key is being worked on, or has been
            raise NoReply(f"409 {words}")
        _raise_if_ours(reply, kind, words)
        if 400 <= reply.status < 500:
            raise Spoiled(_refusal(f"{reply.status} {words}"))
        raise NoReply(f"{reply.status} {words}")

    def knock(self, connection: Connection) -> None:
        """GET /domains. A key that may do nothing but send is told so, which proves it as well."""
        reply = connection.ask(Request("GET", "/domains", self._headers))
        kind, words = _kind(reply.json), reply.text("message")
        if kind != "restricted_api_key" and reply.status != 429:
            _raise_if_ours(reply, kind, words)
            if reply.status != 200:
                raise Unavailable(f"Resend is out of order: {reply.status} {words}")


def _raise_if_ours(reply: Reply, kind: str, words: str) -> None:
    if kind in _OURS:
        raise Unavailable(f"Resend says: {_OURS[kind]} ({words})")
    if is_busy(reply):
        raise Busy("Resend", reply, words)
    if reply.status in {401, 403, 404, 405} or 300 <= reply.status < 400:
        raise Unavailable(f"Resend does not let us send: {words}")


def _each(said: Any) -> Sequence[Verdict]:  # whatever a server sends
    """In permissive mode `data` has the accepted ones in their order, `errors` the others by their index."""
    if not isinstance(said, dict) or not isinstance(said.get("data"), list):
        raise NoReply("its answer makes no sense.")
    errors = {}
    for error in said.get("errors") or []:
        if not isinstance(error, dict) or not isinstance(error.get("index"), int):
            raise NoReply("its answer makes no sense.")
        errors[error["index"]] = readable(str(error.get("message", "")))[:400]
    ids = [each.get("id") if isinstance(each, dict) else None for each in said["data"]]
    count = len(ids) + len(errors)
    if not all(isinstance(each, str) for each in ids) or not all(0 <= at < count for at in errors):
        raise NoReply("its answer makes no sense.")
    accepted = iter(ids)
    return [_refusal(errors[at]) if at in errors else Accepted(f"200 {next(accepted)}") for at in range(count)]


def _refusal(words: str) -> Refused | Deferred:
    """Only what is said of the address is for good: the rest may be a setting that somebody will repair."""
    return Refused(f"{NO_SUCH_ADDRESS} Resend: {words}") if _RECIPIENT.search(words) else Deferred(f"Resend: {words}")


def _kind(said: Any) -> str:  # whatever a server sends
    name = said.get("name") if isinstance(said, dict) else ""
    return name if isinstance(name, str) else ""


def _key(packed: Sequence[bytes]) -> str:
    """The same for the same messages, in whatever attempt: each has its Message-ID, token and recipient in it."""
    return sha256(b",".join(packed)).hexdigest()
