"""Bounces in the words of servers that write no report: qmail, older Exim and Exchange, web mailers, gateways."""

import re
from dataclasses import replace

from emails.incoming import markup
from emails.incoming.original import original
from emails.incoming.parts import Fields, Part
from emails.incoming.reports import address_in, status_of
from emails.incoming.values import Incoming, IncomingKind, one_line

LONGEST = 20_000  # characters: a server says it at the beginning

_DAEMON = re.compile(
    r"mailer-?daemon|postmaster|mail ?delivery (?:sub)?system|(?:^|[<\s])(?:mdaemon|bounce[sd]?|mail-daemon)@",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|un?deliverable|delivery (?:status notification|failure|failed|notification|has failed|problem|report)"
    r"|failure notice|returned (?:mail|to sender|message)|mail (?:delivery|system error|could not be)|mail failure"
    r"|message (?:could not be delivered|not delivered|status)|non ?delivery|nondeliverable|rejected:|bounced?\b"
    r"|unzustellbar|nicht zugestellt|zustellung fehlgeschlagen|nicht zustellbar|non remis"
    r"|non remise|échec de la remise"
    r"|no se puede entregar|no entregado|no se pudo entregar|mancato recapito|impossibile recapitare|não entregue"
    r"|onbestelbaar|kan niet worden (?:af)?geleverd|niedostarczon|nie można dostarczyć|olevererbart"
    r"|kunde inte levereras"
    r"|не доставлен|недоставлен|无法送达|退信|配信(?:不能|できません)|配送不能|전송 실패|teslim edilemedi",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"delivery (?:status notification )?\(delay\)|\bdelayed\b|warning: (?:message|could not send)|still undelivered"
    r"|delivery delay|not yet (?:been )?delivered|will (?:continue to|keep) (?:be )?tr(?:y|ied)|will be retried"
    r"|do not need to resend|verzögert|retard(?:é|ée)|en retraso|in ritardo|vertraagd",
    re.IGNORECASE,
)
# What the text of a real bounce says in some form; a person who writes about bounces has no daemon's name.
_SAID = re.compile(
    r"could ?n[o']t (?:be )?deliver|was(?: not|n't) delivered|unable to (?:be )?deliver|could not be delivered"
    r"|not (?:be )?delivered|undeliver|delivery (?:to|has|of)[\w\s]{0,40} fail|permanent(?:ly)? (?:fatal )?(?:error"
    r"|fail)"
    r"|returned to (?:the )?sender|did not reach|failed (?:permanently|recipient)|failed to deliver|qmail-send"
    r"|following address|rejected|unzustellbar|nicht zugestellt|konnte nicht|n'a pas pu|no (?:se )?pudo|non è stato"
    r"|\b[45]\.\d\.\d{1,3}\b|\b5[05]\d[ -]",
    re.IGNORECASE,
)
_ORIGINAL_BELOW = re.compile(
    r"^(?:-{2,}.{0,20}(?:below this line is a copy|this is a copy|original message|returned message|message header"
    r"|the following|unsent message|ursprüngliche nachricht|transcript of unsent).*"
    r"|[> \t]*(?:return-path|received): .*"
    r"|original message headers:.*|[> \t]*message-id: .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS = re.compile(r"(?<![\w.+-])([\w.+'=&/-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z0-9-]{2,63})(?![\w@-])")
_CODE = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])|(?<![\d.#:])[45][05]\d[ -](?=\D)")
_TELLING = re.compile(
    r"\b(?:no such|unknown|not found|doesn.t exist|does not exist|full|quota|disabled|invalid|refused|rejected|denied"
    r"|blocked|timed? ?out|unrouteable|unavailable|spam|no mailbox|not exist|unbekannt|inconnu|voll|existiert)",
    re.IGNORECASE,
)


def read(parts: list[Part]) -> Incoming | None:
    """None unless a server speaks: by its name or a null return path, and by what it says."""
    fields = parts[0].fields
    said = _said(parts)
    if not _is_bounce(fields, said):
        return None
    late = _DELAYED.search(fields.words("subject")) or (not _hopeless(said) and _DELAYED.search(said[:3000]))
    words = _words(said)
    returned = original(parts)
    return replace(
        returned.incoming(IncomingKind.DELAYED if late else IncomingKind.BOUNCED),
        recipient=_recipient(fields, said) or returned.to,
        status=status_of("", words) or status_of("", said),
        words=words,
    )


def sent_to(fields: Fields) -> str:
    """The address that this message came to, as far as its header tells."""
    field = fields.first("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
    found = _ADDRESS.search(field[:1000])
    return found[1] if found else ""


def _said(parts: list[Part]) -> str:
    """The server's own words, up to where our message begins."""
    texts = [part.text for part in parts if part.kind == "text/plain" and not part.is_attached and part.text.strip()]
    texts += [markup.text_of(part.text) for part in parts if part.kind == "text/html" and not texts]
    said = (texts or [""])[0][:LONGEST]
    below = _ORIGINAL_BELOW.search(said)
    return said[: below.start()] if below and said[: below.start()].strip() else said


def _is_bounce(fields: Fields, said: str) -> bool:
    if "x-failed-recipients" in fields:
        return True
    subject = fields.words("subject")
    if re.match(r"\s*(?:re|aw|fwd?|sv|antw|odp)\s*:", subject, re.IGNORECASE) and fields.first("in-reply-to"):
        return False
    by_daemon = bool(_DAEMON.search(fields.words("from"))) or fields.first("return-path").replace(" ", "") == "<>"
    announced = bool(_SUBJECT.search(subject) or _DELAYED.search(subject))
    return (
        by_daemon
        and bool(_SAID.search(said) or _DELAYED.search(said) or (announced and not said.strip()))
        and (announced or bool(_DAEMON.search(fields.words("from"))) or "qmail-send" in said)
    )


def _hopeless(said: str) -> bool:
    return bool(re.search(r"permanent|given up|giving up|fatal error|failed permanently", said, re.IGNORECASE))


def _recipient(fields: Fields, said: str) -> str:
    named = fields.first("x-failed-recipients").partition(",")[0]
    if named:
        return address_in(named)
    ours = {sent_to(fields).lower(), address_in(fields.first("from")).lower()}
    return next((address for address in _ADDRESS.findall(said) if address.lower() not in ours), "")


def _words(said: str) -> str:
    """The lines with the reason: from the first with a code, else with a telling word, to the end of its paragraph."""
    for sign in (_CODE, _TELLING):
        found = sign.search(said)
        if found:
            start = said.rfind("\n", 0, found.start()) + 1
            return one_line(said[start : start + 2000].partition("\n\n")[0])
    return one_line(said)
