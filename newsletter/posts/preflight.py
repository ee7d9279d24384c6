"""What must be mended before a post may go out, and what had better be."""

from dataclasses import dataclass
from typing import Literal

import emails
from newsletter.posts import content
from newsletter.posts.models import Post, Revision
from newsletter.publication.models import Newsletter

GMAIL_CLIPS_AT = 102_000  # bytes of HTML, see support.google.com and common experience
GETTING_LARGE = 95_000
LONGEST_SUBJECT = 150


@dataclass(frozen=True)
class Problem:
    """An error stops the sending, a warning does not. The line counts from 1 in the source; None: not in the text."""

    level: Literal["error", "warning"]
    sentence: str
    line: int | None = None

    @property
    def full_sentence(self) -> str:
        return f"Line {self.line}: {self.sentence}" if self.line else self.sentence


def problems(post: Post, revision: Revision | None = None) -> list[Problem]:
    """Errors first. Compiles every variant for trial, so that nothing new can go wrong at the moment of sending."""
    found = [*_of_the_sender(post.newsletter), *_of_the_text(post, revision)]
    return sorted(found, key=lambda problem: (problem.level, problem.line or 0))


def _of_the_sender(newsletter: Newsletter) -> list[Problem]:
    found = []
    if not newsletter.publication.postal_address.strip():
        found.append(
            Problem(
                "error",
                "The postal address is empty, and most countries want one in every issue. Add it in the settings.",
            )
        )
    if newsletter.archived_at:
        found.append(Problem("error", f"The newsletter “{newsletter.name}” is archived. Choose another one."))
    return found


def _of_the_text(post: Post, revision: Revision | None) -> list[Problem]:
    try:
        said = content.post_content(post, revision)
        theme = content.theme(post.newsletter)
        variants = [
            emails.compile_post(said, theme, audience) for audience in (emails.Audience.FREE, emails.Audience.PAYING)
        ]
    except emails.SourceError as error:
        return [Problem("error", error.sentence, error.line)]
    except emails.LetterError as error:
        return [Problem("error", str(error))]
    size = max(variant.size for variant in variants)
    found = []
    if size > GETTING_LARGE:
        cut = "will cut it" if size > GMAIL_CLIPS_AT else "will soon cut it"
        found.append(
            Problem(
                "warning", f"The HTML is {size // 1000} kB: Gmail {cut} (at 102 kB). Shorten it, or split it in two."
            )
        )
    if len(said.subject) > LONGEST_SUBJECT:
        found.append(Problem("warning", f"The subject has {len(said.subject)} characters; most inboxes show about 60."))
    if not said.preheader:
        found.append(
            Problem("warning", "There is no subtitle and no preheader: inboxes will show the first words of the text.")
        )
    if not said.document.blocks:
        found.append(Problem("error", "The post is empty."))
    return found
