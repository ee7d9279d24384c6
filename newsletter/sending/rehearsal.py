"""What readers will see, before they do: previews and test mails by the same code as the real thing."""

from dataclasses import dataclass
from datetime import timedelta

import emails
from newsletter import clock
from newsletter.posts import content, preflight
from newsletter.posts.models import Post, Revision
from newsletter.posts.preflight import Problem
from newsletter.sending.start import mailing_envelope
from newsletter.subscribers import notices
from newsletter.subscribers.models import Notice, NoticeKind

__all__ = ["Preview", "Problem", "preview", "problems", "send_test"]

TEST_MARK = "[Test] "


@dataclass(frozen=True)
class Preview:
    """A post as one kind of reader sees it, with example values in its slots. Empty if it cannot be compiled."""

    subject: str
    preheader: str
    html: str
    text: str
    web_html: str
    size: int  # bytes of the HTML part
    problems: list[Problem]


def problems(post: Post, revision: Revision | None = None) -> list[Problem]:
    return preflight.problems(post, revision)


def preview(
    post: Post, audience: emails.Audience = emails.Audience.FREE, *, revision: Revision | None = None, name: str = "Ada"
) -> Preview:
    """How this post looks to that kind of reader. Never raises for what the author typed: it is among the problems."""
    found = preflight.problems(post, revision)
    try:
        said = content.post_content(post, revision)
        theme = content.theme(post.newsletter)
        compiled = emails.compile_post(said, theme, audience)
        web = emails.render_web(said.document, theme=theme, audience=audience)
    except emails.LetterError:
        return Preview(post.title, "", "", "", "", 0, found)
    example = _example(name, "ada@example.com", content.url(post))
    return Preview(
        subject=emails.personal_subject(compiled, example),
        preheader=said.preheader,
        html=emails.personal_html(compiled, example),
        text=emails.personal_text(compiled, example),
        web_html=web,
        size=compiled.size,
        problems=found,
    )


def send_test(
    post: Post,
    address: str,
    name: str,
    *,
    audience: emails.Audience = emails.Audience.FREE,
    revision: Revision | None = None,
) -> Notice:
    """Mail the post to its author, as that kind of reader would get it, marked as a test. Raises emails.SourceError."""
    said = content.post_content(post, revision)
    compiled = emails.compile_post(said, content.theme(post.newsletter), audience)
    marked = emails.Compiled(TEST_MARK + compiled.subject, compiled.html, compiled.text)
    letter = emails.build_letter(marked, mailing_envelope(post.newsletter, post, 0, clock.now()))
    return notices.owe(
        NoticeKind.TEST,
        address=address,
        newsletter=post.newsletter,
        lasts=timedelta(hours=1),
        compose=lambda message_id: letter.splice(_example(name, address, content.url(post), message_id)),
    )


def _example(name: str, address: str, view_url: str, message_id: str = "example") -> emails.Recipient:
    """A reader whose links lead nowhere: a forwarded test must not take anybody off the list."""
    return emails.Recipient(
        address=address,
        message_id=message_id,
        name=name,
        unsubscribe_url=f"{view_url}#example-leave",
        unsubscribe_mailto=None,
        preferences_url=f"{view_url}#example-preferences",
        view_url=view_url,
    )
