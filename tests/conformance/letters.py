"""Every letter there is to judge: the golden post, the demo post, and each notice by itself.

A new notice, or a new element in the golden post, is judged without anybody thinking of it.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property

import emails
from emails import Audience, Compiled, Envelope
from emails.dkim import SignedLetter
from tests import golden
from tests.emails import samples, test_notices
from tests.emails.keys import both
from tests.emails.samples import ADA, ENVELOPE, THEME

DOMAIN = ENVELOPE.message_id_domain
KEYS = both()
GRACE = ADA._replace(address="grace@example.com", name="Grace", message_id="i7r1.77aa")
READERS = (Audience.FREE, Audience.PAYING)  # a stranger gets no mail


@dataclass(frozen=True)
class Judged:
    name: str
    compiled: Compiled
    envelope: Envelope

    @cached_property
    def raw(self) -> bytes:
        """As Ada gets it, before it is signed."""
        return emails.build_letter(self.compiled, self.envelope).splice(ADA)

    @cached_property
    def signed(self) -> SignedLetter:
        return SignedLetter(emails.build_letter(self.compiled, self.envelope), DOMAIN, KEYS)

    @cached_property
    def html(self) -> str:
        """Its HTML part as a mail program takes it out of the message."""
        return samples.part(samples.read(self.raw), "html")


@cache
def every() -> tuple[Judged, ...]:
    posts = {"The golden post": golden.post(), "The demo post": samples.demo()}
    return (
        *(
            Judged(f"{name}, {reader} reader", emails.compile_post(post, THEME, reader), ENVELOPE)
            for name, post in posts.items()
            for reader in READERS
        ),
        *(
            Judged(
                f"Notice: {name}",
                emails.compile_notice(name, test_notices.VALUES, THEME),
                test_notices.envelope(),
            )
            for name in emails.NOTICES
        ),
    )


@cache
def frame() -> Judged:
    """The same frame around a post without a word: what MJML and our layout need of a mail program."""
    empty = replace(golden.post(), document=emails.parse(""))
    return Judged("The frame", emails.compile_post(empty, THEME, Audience.FREE), ENVELOPE)


def posts() -> list[Judged]:
    return [letter for letter in every() if not letter.name.startswith("Notice")]


def names() -> list[str]:
    return [letter.name for letter in every()]
