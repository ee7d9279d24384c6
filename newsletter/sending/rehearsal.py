"""What readers will see, before they do: previews and test mails by the same code as the real thing."""

from dataclasses import dataclass
from datetime import timedelta

import emails
from newsletter import clock, signing
from newsletter.posts import content, preflight
from newsletter.posts.models import Post, PostAudience, Revision
from newsletter.sending.start import mailing_envelope
from newsletter.subscribers import notices
from newsletter.subscribers.models import Notice, NoticeKind

__all__ = ["Preview", "example_message", "gets_mail", "preview", "problems", "send_test"]

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
    problems: list[emails.Finding]


def problems(post: Post, revision: Revision | None = None) -> list[emails.Finding]:
    return preflight.problems(post, revision)


def preview(
    post: Post,
    audience: emails.Audience = emails.Audience.FREE,
    *,
    revision: Revision | None = None,
    name: str = "Ada",
    is_checked: bool = True,
) -> Preview:
    """How this post looks to that kind of reader. Never raises for what the author typed: it is among the problems.

    Unless it `is_checked`, problems are only looked for where there is nothing to show: many looks, one check.
    """
    try:
        said = content.post_content(post, revision)
        theme = content.theme_of(post)
        compiled = emails.compile_post(said, theme, audience)
        web = emails.render_web(said, theme=theme, audience=audience)
    except emails.LetterError:
        return Preview(post.title, "", "", "", "", 0, preflight.problems(post, revision))
    example = _example(name, "ada@example.com", content.url(post))
    return Preview(
        subject=emails.personal_subject(compiled, example),
        preheader=said.preheader,
        html=emails.personal_html(compiled, example),
        text=emails.personal_text(compiled, example),
        web_html=web,
        size=compiled.size,
        problems=preflight.problems(post, revision) if is_checked else [],
    )


def gets_mail(post: Post, audience: emails.Audience) -> bool:
    """Whether readers of this kind are sent the post at all."""
    if audience is emails.Audience.STRANGER:
        return False
    return audience is emails.Audience.PAYING or post.audience is not PostAudience.PAYING or content.has_preview(post)


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
    compiled = emails.compile_post(said, content.theme_of(post), audience)
    marked = emails.Compiled(TEST_MARK + compiled.subject, compiled.html, compiled.text)
    letter = signing.letter(
        emails.build_letter(marked, mailing_envelope(post.newsletter, post, 0, clock.now())),
        post.newsletter.sender_email,
    )
    return notices.owe(
        NoticeKind.TEST,
        address=address,
        newsletter=post.newsletter,
        lasts=timedelta(hours=1),
        compose=lambda message_id: letter.splice(_example(name, address, content.url(post), message_id)),
    )


def example_message(post: Post, revision: Revision) -> bytes:
    """The whole message that an example reader would get. Raises emails.LetterError."""
    said = content.post_content(post, revision)
    compiled = emails.compile_post(said, content.theme_of(post), emails.Audience.FREE)
    letter = signing.letter(
        emails.build_letter(compiled, mailing_envelope(post.newsletter, post, 0, clock.now())),
        post.newsletter.sender_email,
    )
    return letter.splice(_example("Ada", "ada@example.com", content.url(post)))


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
