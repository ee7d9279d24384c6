"""A letter before it leaves: a post of 2,000 words compiled for all its readers, then spliced for each of them.

Beside it stand what people write first: mjml2html and Premailer with its defaults on the same document once, and an
EmailMessage for each reader. No server is needed.
"""

import time
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from functools import partial
from html import escape
from unittest.mock import patch

from mjml import mjml2html
from premailer import Premailer

import emails
from emails import Audience, Compiled, PostContent, Recipient, mjml
from newsletter.terminal.screen import say
from tests.benchmarks.figures import Results
from tests.emails.samples import ADA, ENVELOPE, THEME, content

WORDS = 2_000
IN_MAIL = (Audience.FREE, Audience.PAYING)
READERS, MESSAGES = 10_000, 100  # spliced, and built as objects

_SENTENCES = (
    "A letter is read where it lies, on a kitchen table or in a queue, and it has no second chance to be found dull.",
    "Whoever writes one [answers for every word](https://letters.example.org/p/answers?a=1&b=2), and knows for whom.",
    "Paper was *slow*, and being slow was **kind**: there was a night between what was written and what was sent.",
    "The post office of our street closed at noon on Saturdays, and `nobody` thought the worse of it for that.",
    "Zoë kept every envelope, “for the stamps”, she said; in truth for the handwriting, which she knew by heart.",
)
_BETWEEN = (
    "## What is left of it",
    "- Ink\n- Paper\n- A reason to write",
    "> Write as if it were read aloud.\n> — Mara",
    "![A quay in the rain](https://letters.example.org/quay.jpg)",
    "| Year | Letters |\n|---|--:|\n| 1990 | 412 |\n| 2020 | 7 |",
    ":::note\nLetters are still carried.\n:::",
)


def measure(results: Results) -> None:
    said = post()
    compile_s = _fastest(lambda: [emails.compile_post(said, THEME, audience) for audience in IN_MAIL])
    written = document(said)
    plain_s = _fastest(lambda: plain(written))
    compiled = emails.compile_post(said, THEME, Audience.FREE)
    letter = emails.build_letter(compiled, ENVELOPE)
    readers = [reader(number) for number in range(READERS)]
    splice_s = _fastest(lambda: _each(letter.splice, readers)) / READERS
    object_s = _fastest(lambda: _each(partial(built, compiled), readers[:MESSAGES])) / MESSAGES
    say(f"  compile {compile_s * 1e3:.0f} ms, plain {plain_s * 1e3:.0f} ms")
    say(f"  splice {splice_s * 1e6:.1f} µs, EmailMessage {object_s * 1e6:,.0f} µs")
    results.add(
        compile_vs_plain=compile_s / plain_s,
        compile_ms=compile_s * 1e3,
        compile_plain_ms=plain_s * 1e3,
        splice_vs_email_message=object_s / splice_s,
        splice_us=splice_s * 1e6,
        email_message_us=object_s * 1e6,
    )


def post() -> PostContent:
    """Words of every day: paragraphs with links and emphasis, now and then a heading, list, quote, picture or table."""
    parts = ["Dear {name|reader},"]
    while len(" ".join(parts).split()) < WORDS:
        number = len(parts)
        turned = _SENTENCES[number % 5 :] + _SENTENCES[: number % 5]
        parts += [" ".join(turned[:3]), _BETWEEN[number // 2 % len(_BETWEEN)]]
    return content("\n\n".join(parts), title="How letters find us", subtitle="A post of two thousand words")


def document(said: PostContent) -> str:
    """The MJML of its letter, with its rules in a style block: the same work for anybody who makes HTML of it."""
    drafts: list[tuple[str, list[str]]] = []
    draft = mjml.draft

    def kept(*given: object) -> tuple[str, list[str]]:
        drafts.append(draft(*given))  # type: ignore[arg-type]  # handed on as they come
        return drafts[-1]

    with patch.object(mjml, "draft", kept):
        emails.compile_post(said, THEME, Audience.PAYING)
    return mjml.filled(*drafts[0]).replace("</mj-head>", f"<mj-style>{mjml.rules(THEME)}</mj-style></mj-head>", 1)


def plain(written: str) -> str:
    html: str = Premailer(mjml2html(written, fonts={}), allow_network=False).transform()
    return html


def reader(number: int) -> Recipient:
    return ADA._replace(
        address=f"reader{number}@mail.example.com",
        name=f"Zoë {number}" if number % 5 else None,
        message_id=f"i7r1.{number:032x}",
        unsubscribe_url=f"https://letters.example.org/leave/{number:040x}",
    )


def built(compiled: Compiled, to: Recipient) -> bytes:
    """A message object for one reader, of texts that are compiled already."""
    name = to.name or "reader"
    marks = {
        "__NAME_726561646572__": name,
        "__UNSUBSCRIBE_URL__": to.unsubscribe_url,
        "__PREFERENCES_URL__": to.preferences_url,
        "__VIEW_URL__": to.view_url,
    }
    text, html = compiled.text, compiled.html
    for mark, value in marks.items():
        text, html = text.replace(mark, value), html.replace(mark, escape(value))
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = f"Mara Lindqvist <{ENVELOPE.sender.address}>"
    message["To"] = f"{name} <{to.address}>"
    message["Subject"] = compiled.subject
    message["Message-ID"] = f"<{to.message_id}@letters.example.org>"
    message["List-Unsubscribe"] = f"<{to.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def _each(make: Callable[[Recipient], bytes], readers: list[Recipient]) -> None:
    for each in readers:  # none is kept: twenty thousand messages would be a gigabyte
        make(each)


def _fastest(work: Callable[[], object], times: int = 3) -> float:
    """Processor time, the least of some tries after one that counts for nothing: others on the machine cost none."""
    work()
    return min(_seconds(work) for _ in range(times))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
