"""What the call to subscribe says: to a stranger, to a free reader, and nothing to someone who pays."""

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
        words = text or f"{theme.publication_name} is paid for by its readers. Consider becoming one of them."
        return Invitation(words, f"Support {theme.publication_name}", theme.upgrade_url)
    words = text or f"Did someone send you this? {theme.publication_name} comes by email, to you as well if you like."
    return Invitation(words, f"Subscribe to {theme.name}", theme.subscribe_url)
