"""Amazon SES, API v2: one message a request, as it is (raw MIME). https://docs.aws.amazon.com/ses/latest/APIReference-V2/"""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from email.headerregistry import Address as Mailbox
from email.parser import BytesHeaderParser
from email.policy import default

from newsletter import clock
from worker.transports import address
from worker.transports.answers import Accepted, Deferred, Outgoing, Refused, Unavailable
from worker.transports.http import Connection, NoReply, Reply, Request
from worker.transports.provider import (
    NO_SUCH_ADDRESS,
    NOT_THIS_CONTENT,
    Busy,
    ProviderSession,
    Verdict,
    is_busy,
    knocked,
)
from worker.transports.sigv4 import Credentials, signed

SEND = "/v2/email/outbound-emails"
ACCOUNT = "/v2/email/account"

# What an operator can do about it. The names are those of the API; SES says more in its message.
_OURS = {
    "AccessDeniedException": "This key may not send: allow ses:SendEmail in its policy.",
    "AccountSuspendedException": "Amazon has suspended the account for sending.",
    "ExpiredTokenException": "The session token has expired.",
    "IncompleteSignatureException": "The key or the secret in MAIL_URL is wrong.",
    "InvalidClientTokenId": "The key in MAIL_URL is wrong.",
    "InvalidSignatureException": "The secret in MAIL_URL is wrong, or this machine’s clock is.",
    "LimitExceededException": "A limit of the account is reached.",
    "MailFromDomainNotVerifiedException": "The MAIL FROM domain is not verified in this region.",
    "NotFoundException": "The configuration set or the sender is not known in this region.",
    "SendingPausedException": "Sending is paused for the account or the configuration set.",
    "SignatureDoesNotMatch": "The secret in MAIL_URL is wrong, or this machine’s clock is.",
    "UnrecognizedClientException": "The key in MAIL_URL is wrong.",
}
_SENDER = re.compile(r"not verified|not authorized|identit|\bfrom\b|sender|configuration set", re.IGNORECASE)
_RECIPIENT = re.compile(r"address|final '@domain'|recipient|local part|domain (contains|name)", re.IGNORECASE)
_QUOTA = re.compile(r"quota", re.IGNORECASE)


def connect(url: str, timeout: float) -> ProviderSession:
    """`ses://key:secret@region?configuration_set=…&session_token=…`. Raises Unavailable."""
    where = address.read(url)
    if not where.user or not where.password or not where.host:
        raise Unavailable("MAIL_URL: Amazon SES needs ses://key:secret@region, a slash in the secret written as %2F.")
    suffix = ".cn" if where.host.startswith("cn-") else ""
    server = where.server(f"https://email.{where.host}.amazonaws.com{suffix}")
    connection = Connection(server, timeout, "Amazon SES")
    credentials = Credentials(where.user, where.password, where.options.get("session_token", ""))
    return knocked(
        Ses(connection.host, where.host, credentials, where.options.get("configuration_set", "")), connection
    )


class Ses:
    name = "Amazon SES"
    batch = 1
    repeats_safely = False

    def __init__(self, host: str, region: str, credentials: Credentials, configuration_set: str) -> None:
        self._host = host
        self._region = region
        self._credentials = credentials
        self._configuration_set = configuration_set

    def packed(self, message: Outgoing) -> bytes:
        said = BytesHeaderParser(policy=default).parsebytes(message.content)["From"]
        senders: tuple[Mailbox, ...] = said.addresses if said is not None else ()
        request: dict[str, object] = {
            "Destination": {"ToAddresses": [message.recipient]},
            "Content": {"Raw": {"Data": b64encode(message.content).decode()}},
        }
        if senders:
            request["FromEmailAddress"] = senders[0].addr_spec
        if message.token:
            request["EmailTags"] = [{"Name": "token", "Value": message.token}]
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        return json.dumps(request).encode()

    def request(self, packed: Sequence[bytes]) -> Request:
        return self._signed(Request("POST", SEND, {"content-type": "application/json"}, packed[0]))

    def verdicts(self, reply: Reply) -> Sequence[Verdict]:
        said = reply.json
        if reply.status == 200:
            if not isinstance(said, dict) or not isinstance(said.get("MessageId"), str):
                raise NoReply("its answer makes no sense.")
            return [Accepted(f"200 {said['MessageId']}")]
        kind, words = _kind(reply), reply.text("message", "Message")
        self._raise_if_ours(reply, kind, words)
        if kind == "MessageRejected":
            return [Refused(f"{NOT_THIS_CONTENT} Amazon SES: {words}")]
        if kind == "BadRequestException" and _RECIPIENT.search(words):
            return [Refused(f"{NO_SUCH_ADDRESS} Amazon SES: {words}")]
        if 400 <= reply.status < 500:
            return [Deferred(f"Amazon SES: {reply.status} {kind} {words}")]
        raise NoReply(f"{reply.status} {words}")

    def knock(self, connection: Connection) -> None:
        """GetAccount. A key that may do nothing but send is told so, which proves it as well."""
        reply = connection.ask(self._signed(Request("GET", ACCOUNT, {})))
        kind, said = _kind(reply), reply.json
        if kind != "AccessDeniedException" and reply.status != 429:
            self._raise_if_ours(reply, kind, reply.text("message", "Message"))
            if reply.status != 200:
                raise Unavailable(f"Amazon SES is out of order: {reply.status} {reply.text('message', 'Message')}")
        if isinstance(said, dict) and said.get("SendingEnabled") is False:
            raise Unavailable("Amazon SES: sending is paused for this account and region.")

    def _raise_if_ours(self, reply: Reply, kind: str, words: str) -> None:
        """About the account, not about this reader."""
        if kind in _OURS:
            raise Unavailable(f"Amazon SES: {_OURS[kind]} ({words})")
        if kind in {"MessageRejected", "BadRequestException"} and _SENDER.search(words):
            raise Unavailable(f"Amazon SES: verify the sender in this region, or leave the sandbox. ({words})")
        if is_busy(reply) or "Throttling" in kind or kind == "TooManyRequestsException":
            if _QUOTA.search(words):
                raise Unavailable(f"Amazon SES: the quota of the last 24 hours is used up. ({words})")
            raise Busy(self.name, reply, words)
        if reply.status in {401, 403} or 300 <= reply.status < 400:
            raise Unavailable(f"Amazon SES lets us not in: {reply.status} {words}")

    def _signed(self, request: Request) -> Request:
        return signed(request, self._host, self._credentials, self._region, "ses", clock.now())


def _kind(reply: Reply) -> str:
    """The name of the error: in a header, or in the body, with or without a namespace."""
    said = reply.json
    named = reply.headers.get("x-amzn-errortype") or (said.get("__type") if isinstance(said, dict) else "")
    return named.partition(":")[0].rpartition("#")[2] if isinstance(named, str) else ""
