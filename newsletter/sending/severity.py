"""What a bounce means for its reader: told by the enhanced status code (RFC 3463), by words only where no code tells.

In doubt the gentler answer: a reader who is written to once too often loses nothing, one who is given up does.
"""

import re

from newsletter.sending.models import BounceKind

_HARD = {
    "1.1",  # no such mailbox
    "1.2",  # no such domain
    "1.3",  # not an address
    "1.6",  # moved, and nobody knows where
    "1.10",  # the domain takes no mail (RFC 7505)
    "2.1",  # the mailbox is closed
    "4.310",  # Exchange: the domain does not exist
}
_BLOCKED = {
    "1.7",  # our address, not the reader's
    "1.8",
    "2.3",  # our message is too big
    "3.4",
}
_ABOUT_US = ("5.", "6.", "7.")  # protocol, content, policy
_GENERIC = {"", "0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "4.1", "4.4", "5.1", "9.0"}  # say too little, or lie
_DOUBTED = {"2.1"}  # right as a rule, but also said of a mailbox that is only busy

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"\s*([245])\d\d(?![\d.])[ -]?")

# Words in the order of gentleness: about us, for a while, for ever. Looked for in small letters.
_WORDS_ABOUT_US = re.compile(
    r"\bspam|\bspf\b|\bdkim\b|\bdmarc\b|black ?list|block ?list|\bdnsbl\b|\brbl\b|reputation|\bpolicy|policies"
    r"|unsolicited|\bbulk\b|\bban(?:ned)?\b|\bvirus|phish|malicious|suspicious|authenticat|not authorized|unauthorized"
    r"|reverse dns|\bptr\b|sender (?:address )?(?:rejected|verify|denied|domain)|\bhelo\b|\bcontent (?:rejected|filter)"
    r"|too large|too big|exceeds (?:the )?(?:maximum|size)|message size|size limit|relay(?:ing)? (?:access )?denied"
    r"|unable to relay|blocked (?:by|using|due|for|because|from)|has been blocked|listed (?:in|on|at) "
    r"|\[(?:ts|tss)0\d\]|complaint"
)
_WORDS_FOR_A_WHILE = re.compile(
    r"quota|(?:mail)?box (?:is )?(?:almost )?full|\bfull mailbox|storage (?:limit|space|exceeded)|disk (?:is )?full"
    r"|over ?(?:the )?limit|insufficient (?:system )?(?:storage|space|disk)|not enough (?:storage|space)|no space left"
    r"|gr[ea]y ?list|try (?:it )?(?:again )?later|temporar|timed? ?out|too many|too fast|\brate\b|throttl|deferr"
    r"|connection (?:refused|reset|lost|dropped|closed)|network is unreachable|no route to host|name server"
    r"|host not responding|delivery time expired|retry time(?:out)? exceeded|resources|busy|overload"
    r"|postfach (?:ist )?voll|speicherplatz|bo[iî]te (?:aux lettres )?pleine|buz[oó]n lleno|casella piena"
)
_WORDS_FOR_EVER = re.compile(
    r"(?:user|mailbox|recipient|account|address|alias|e-?mail|person)[\w\s<>@.'\"+:()-]{0,80}?"
    r"(?:unknown|not (?:be )?found|does ?n[o']t exist|doesn['’]t exist|no longer|invalid|is disabled|has been disabled"
    r"|disabled or discontinued|deactivated|unavailable|not exist|not known|not listed|not valid|closed|terminated"
    r"|suspended|inactive)"
    r"|(?:unknown|no such|invalid|bad destination|nonexistent|non-existent|undefined|unrouteable|unroutable|disabled)"
    r" (?:local )?(?:user|mailbox|recipient|account|address|alias|e-?mail|person|domain|host|destination)"
    r"|(?:no|not a|isn['’]t a) (?:valid |known )?(?:mailbox|recipient|account)(?: here)?\b|not our customer"
    r"|recipient (?:address )?rejected|address rejected|(?:does not|doesn['’]t) have an? [\w.]+ account"
    r"|dosn't exist|user not local"
    r"|(?:host|domain)(?: or domain)? (?:name )?(?:not found|does not exist|unknown)|host unknown|name not found"
    r"|nxdomain|no such domain|does not accept mail|null ?mx|domain .{0,80}doesn['’]t exist|never logged|no inbox"
    r"|unknown to|empf[aä]nger unbekannt|unbekannter (?:empf[aä]nger|benutzer)|existiert nicht|adresse inconnue"
    r"|utilisateur inconnu|n['’]existe pas|usuario desconocido|no existe|utente sconosciuto|non esiste|n[aã]o existe"
    r"|onbekende gebruiker|bestaat niet|nie istnieje|не существует|не найден|存在しません|不存在"
)


def of(status: str, words: str) -> BounceKind:
    """HARD, SOFT or BLOCKED. An empty or general status is made up for by the words, which may hold a better one."""
    known = _best(status, words)
    if known is None:
        return _by_words(words, "5")
    kind, subject, detail = known
    code = f"{subject}.{detail}"
    if kind == "4":
        return _for_now(subject, words)
    if code in _GENERIC:
        return _by_words(words, kind)
    if code in _DOUBTED and _WORDS_FOR_A_WHILE.search(_searched(words)):
        return BounceKind.SOFT
    if code in _HARD:
        return BounceKind.HARD
    if code in _BLOCKED or code.startswith(_ABOUT_US):
        return BounceKind.BLOCKED
    return BounceKind.SOFT


def of_reply(reply: str) -> tuple[BounceKind, str]:
    """The same for a mail server's answer to us, “550 5.1.1 no such user”, and the enhanced status code it holds."""
    answer = _REPLY.match(reply)
    found = _STATUS.search(reply)
    status = found[0] if found else ""
    if answer and answer[1] == "4":
        return of(f"4{status[1:]}" if status else "4.0.0", reply), status
    return of(status, reply[answer.end() :] if answer else reply), status


def _best(status: str, words: str) -> tuple[str, str, str] | None:
    """The first code that says something; else the first at all."""
    codes = [match for match in (_STATUS.fullmatch(status.strip()), *_STATUS.finditer(_short(words))) if match]
    telling = [match for match in codes if f"{match[2]}.{match[3]}" not in _GENERIC and match[1] != "2"]
    chosen = telling or [match for match in codes if match[1] != "2"]
    return (chosen[0][1], str(int(chosen[0][2])), str(int(chosen[0][3]))) if chosen else None


def _for_now(subject: str, words: str) -> BounceKind:
    """4.x.x never speaks of a reader for ever; what it says of us is not counted against the reader."""
    if subject not in {"0", "7"}:
        return BounceKind.SOFT
    said = _searched(words)
    if "list" in said and re.search(r"gr[ea]y ?-?list", said):
        return BounceKind.SOFT
    return BounceKind.BLOCKED if _WORDS_ABOUT_US.search(said) else BounceKind.SOFT


def _by_words(words: str, kind: str) -> BounceKind:
    said = _searched(words)
    if _WORDS_ABOUT_US.search(said):
        return BounceKind.BLOCKED
    if kind == "4" or _WORDS_FOR_A_WHILE.search(said):
        return BounceKind.SOFT
    return BounceKind.HARD if _WORDS_FOR_EVER.search(said) else BounceKind.SOFT


def _searched(words: str) -> str:
    return " ".join(_short(words).lower().split())


def _short(words: str) -> str:
    return words[:2000]
