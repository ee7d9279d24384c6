"""What the calls to subscribe and to support say: to a stranger, to a free reader, and nothing to someone who pays."""

from dataclasses import dataclass

from emails.values import Audience, Theme


@dataclass(frozen=True)
class Invitation:
    words: str
    action: str
    url: str


def invitation(text: str, theme: Theme, audience: Audience) -> Invitation | None:
    if audience is Audience.PAYING:
        return None
    if audience is Audience.STRANGER:
        words = text or f"{theme.publication_name} comes by email. You can leave whenever you like."
        return Invitation(words, f"Subscribe to {theme.name}", theme.subscribe_url)
    if theme.upgrade_url:
        return upgrade(text, theme, audience)
    words = text or f"Did someone send you this? {theme.publication_name} comes by email, to you as well if you like."
    return Invitation(words, f"Subscribe to {theme.name}", theme.subscribe_url)


def upgrade(text: str, theme: Theme, audience: Audience) -> Invitation | None:
    if audience is Audience.PAYING or not theme.upgrade_url:
        return None
    words = text or f"{theme.publication_name} is paid for by its readers. Consider becoming one of them."
    return Invitation(words, f"Support {theme.publication_name}", theme.upgrade_url)


def end_of_preview(text: str, theme: Theme, audience: Audience, *, is_for_subscribers: bool) -> Invitation:
    """What stands where a post ends for this reader, and how to read on."""
    if is_for_subscribers or not theme.upgrade_url:
        reach = "subscribers" if is_for_subscribers else "paying readers"
        action = f"Subscribe to {theme.name}" if audience is Audience.STRANGER else ""
        return Invitation(
            text or f"The rest of this post is for {reach}.", action, theme.subscribe_url if action else ""
        )
    return Invitation(
        text or "The rest of this post is for paying readers.", f"Support {theme.publication_name}", theme.upgrade_url
    )
