"""Mailgun: one message a request, as it is (MIME). https://documentation.mailgun.com/docs/mailgun/api-reference/"""

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import quote

from worker.transports import address
from worker.transports.answers import Accepted, Deferred, Outgoing, Refused, Unavailable
from worker.transports.http import Connection, NoReply, Reply, Request
from worker.transports.provider import NO_SUCH_ADDRESS, Busy, ProviderSession, Verdict, is_busy, knocked

SERVERS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}

_RECIPIENT = re.compile(r"not a valid address|is not valid|'?to'? parameter", re.IGNORECASE)


def connect(url: str, timeout: float) -> ProviderSession:
    """`mailgun://key@domain?region=eu`. Raises Unavailable."""
    where = address.read(url)
    region = where.options.get("region", "us").lower()
    if not where.user or not where.host:
        raise Unavailable("MAIL_URL: Mailgun needs mailgun://key@domain.")
    if region not in SERVERS:
        raise Unavailable("MAIL_URL: Mailgun’s ?region= is us or eu.")
    connection = Connection(where.server(SERVERS[region]), timeout, "Mailgun")
    return knocked(Mailgun(where.user, where.host), connection)


class Mailgun:
    name = "Mailgun"
    batch = 1
    repeats_safely = False

    def __init__(self, key: str, domain: str) -> None:
        self._domain = domain
        self._path = f"/v3/{quote(domain, safe='')}/messages.mime"
        self._headers = {"Authorization": f"Basic {b64encode(f'api:{key}'.encode()).decode()}"}

    def packed(self, message: Outgoing) -> bytes:
        fields = {"to": message.recipient, "o:tracking": "no"}  # tracking would rewrite every link
        if message.token:
            fields["v:token"] = message.token
        boundary = sha256(message.content).hexdigest()  # not in it: it would have to contain its own hash
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        file = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="message"; filename="message.eml"\r\n'
            "Content-Type: message/rfc822\r\n\r\n"
        )
        return head.encode() + file.encode() + message.content + f"\r\n--{boundary}--\r\n".encode()

    def request(self, packed: Sequence[bytes]) -> Request:
        boundary = packed[0][2 : packed[0].index(b"\r\n")].decode()
        kind = f"multipart/form-data; boundary={boundary}"
        return Request("POST", self._path, self._headers | {"Content-Type": kind}, packed[0])

    def verdicts(self, reply: Reply) -> Sequence[Verdict]:
        said, words = reply.json, reply.text("message", "Error")
        if reply.status == 200:
            if not isinstance(said, dict) or not isinstance(said.get("id"), str):
                raise NoReply("its answer makes no sense.")
            return [Accepted(f"{words} {said['id']}")]
        self._raise_if_ours(reply, words)
        if reply.status == 400 and _RECIPIENT.search(words):
            return [Refused(f"{NO_SUCH_ADDRESS} Mailgun: {words}")]
        if 400 <= reply.status < 500:
            return [Deferred(f"Mailgun: {reply.status} {words}")]
        raise NoReply(f"{reply.status} {words}")

    def knock(self, connection: Connection) -> None:
        """A message without a recipient. 400 means that the key may send for this domain; keys that may do nothing
        else, as they should be, have no GET to ask."""
        headers = self._headers | {"Content-Type": "application/x-www-form-urlencoded"}
        reply = connection.ask(Request("POST", self._path, headers, b"o:testmode=yes"))
        if reply.status not in {400, 429}:
            words = reply.text("message", "Error")
            self._raise_if_ours(reply, words)
            raise Unavailable(f"Mailgun is out of order: {reply.status} {words}")

    def _raise_if_ours(self, reply: Reply, words: str) -> None:
        if reply.status == 401:
            raise Unavailable(
                f"Mailgun says that the key is wrong. Check MAIL_URL, and whether it needs ?region=eu. ({words})"
            )
        if reply.status == 404:
            raise Unavailable(f"Mailgun does not know {self._domain}. Check MAIL_URL, and whether it needs ?region=eu.")
        if is_busy(reply):
            raise Busy(self.name, reply, words)
        if reply.status in {402, 403} or 300 <= reply.status < 400:
            raise Unavailable(f"Mailgun does not let the account or {self._domain} send: {words}")
