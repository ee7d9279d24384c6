"""Where the new words of an answer end and the quoted ones begin: above, below or between, in many languages."""

import re

LONGEST = 100_000  # characters
MOST_LINES = 5_000

# “On Monday, 3 May 2027, Ada <ada@example.org> wrote:” and its like. Each needs a verb and ends with a colon.
_ATTRIBUTION = re.compile(
    r"(?:wrote|writes|said|schrieb|a écrit|escribió|ha scritto|escreveu|schreef|skrev|kirjoitti|napisał(?:\(?a\)?)?"
    r"|pisze"
    r"|napsal(?:\(?a\)?)?|írta|a scris|yazdı|έγραψε|написал(?:\(?а\)?)?|пишет"
    r"|писал(?:\(?а\)?)?|пише|写道|寫道|書きました"
    r"|さんは書きました|のメール|작성|כתב|كتب)\b.{0,40}[:：]\s*\Z",
    re.IGNORECASE,
)
_WHEN_OR_WHO = re.compile(r"@|\d{1,2}[:.]\d{2}|\b(?:19|20)\d\d\b|\d{1,2}[./-]\d{1,2}")
_STARTS = re.compile(
    r"^\W*(?:on|am|le|el|il|em|op|den|dne|w dniu|dnia|în|tarihinde|στις|em|\d|\w{2,4}\.?,|在|于|\S+@"
    r"|[\"“<]?\w[\w .,'-]{0,60}[\"”]? ?[<(])",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"^\W*-{2,}\s*(?:original message|original appointment|forwarded message|reply message|ursprüngliche nachricht"
    r"|originalnachricht|weitergeleitete nachricht|message d'origine|message original|mensaje original"
    r"|messaggio originale"
    r"|mensagem original|oorspronkelijk bericht|ursprungligt meddelande|originalmeddelande|original meddelelse"
    r"|opprinnelig melding|alkuperäinen viesti|oryginalna wiadomość|wiadomość oryginalna"
    r"|původní zpráva|eredeti üzenet"
    r"|orijinal mesaj|исходное сообщение|пересылаемое сообщение|原始邮件|原始郵件|元のメッセージ"
    r"|원본 메[세시]지)\s*-{2,}",
    re.IGNORECASE,
)
# The block that Outlook puts above what it quotes: who, when, to whom, about what.
_FROM = re.compile(
    r"^\W*(?:from|von|de|da|van|från|fra|od|lähettäjä|feladó|kimden|από|от|від|发件人|寄件者|差出人"
    r"|보낸 ?사람)\W{0,3}\s?[:：]",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"^\W*(?:sent|date|to|cc|subject|gesendet|datum|an|betreff|envoyé|à|objet|enviado(?: el)?|fecha|para|asunto"
    r"|inviato|data|a"
    r"|oggetto|assunto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|lähetetty"
    r"|vastaanottaja|aihe"
    r"|odesláno|komu|předmět|küldve|címzett|tárgy|gönderildi|kime|konu|отправлено|дата|кому"
    r"|тема|надіслано|发送时间|日期|收件人"
    r"|主题|主旨|送信日時|宛先|件名|보낸 ?날짜|받는 ?사람|제목)\W{0,3}\s?[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"^\W*[_=-]{10,}\W*$")
_QUOTED = re.compile(r"^\s{0,3}(?:>|\|\s)")


def without_quotes(text: str) -> str:
    """The new words alone. Where nothing would be left, all of it: no reader's words are lost to a guess."""
    lines = text[:LONGEST].split("\n")[:MOST_LINES]
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if _begins_a_copy(lines, at):
            break
        length = _attribution(lines, at)
        if length:
            after = _next_words(lines, at + length)
            if after is None or not _QUOTED.match(lines[after]):
                break  # quoted without marks: all that follows
            at += length
        elif _QUOTED.match(lines[at]):
            at += 1
        else:
            kept.append(lines[at].rstrip())
            at += 1
    new = re.sub(r"\n{3,}", "\n\n", "\n".join(_without_rule(kept))).strip()
    return new or text[:LONGEST].strip()


def _begins_a_copy(lines: list[str], at: int) -> bool:
    if _DIVIDER.match(lines[at][:200]):
        return True
    if not _FROM.match(lines[at][:200]):
        return False
    return sum(bool(_OTHERS.match(line[:200])) for line in lines[at + 1 : at + 7]) >= 2


def _attribution(lines: list[str], at: int) -> int:
    """How many lines it takes, wrapped or not; 0 if none begins here."""
    if not lines[at].strip() or not _STARTS.match(lines[at][:200]):
        return 0
    said = ""
    for length, line in enumerate(lines[at : at + 4], start=1):
        if not line.strip() or _QUOTED.match(line):
            return 0
        said = f"{said} {line.strip()}"[-600:]
        if _ATTRIBUTION.search(said):
            return length if _WHEN_OR_WHO.search(said) else 0
    return 0


def _next_words(lines: list[str], at: int) -> int | None:
    return next((number for number in range(at, len(lines)) if lines[number].strip()), None)


def _without_rule(kept: list[str]) -> list[str]:
    """Without the line that some programs draw above the copy."""
    while kept and (not kept[-1].strip() or _RULE.match(kept[-1][:200])):
        kept.pop()
    return kept
