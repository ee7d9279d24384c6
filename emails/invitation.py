"""What the calls to subscribe and to support say: to a stranger, to a free reader, and nothing to someone who pays."""

from dataclasses import dataclass

from emails.values import Audience, Theme

_PAYERS = (Audience.PAYING, Audience.OTHER)


@dataclass(frozen=True)
class Invitation:
    words: str
    action: str
    url: str


def invitation(text: str, theme: Theme, audience: Audience) -> Invitation | None:
    if audience in _PAYERS:
        return None
    if audience is Audience.STRANGER:
        words = text or f"{theme.publication_name} comes by email. You can leave whenever you like."
        return Invitation(words, f"Subscribe to {theme.name}", theme.subscribe_url)
    if theme.upgrade_url:
        return upgrade(text, theme, audience)
    words = text or f"Did someone send you this? {theme.publication_name} comes by email, to you as well if you like."
    return Invitation(words, f"Subscribe to {theme.name}", theme.subscribe_url)


def upgrade(text: str, theme: Theme, audience: Audience) -> Invitation | None:
    if audience in _PAYERS or not theme.upgrade_url:
        return None
    words = text or f"{theme.publication_name} is paid for by its readers. Consider becoming one of them."
    return Invitation(words, f"Support {theme.publication_name}", theme.upgrade_url)


def end_for_subscribers(text: str, theme: Theme, audience: Audience) -> Invitation:
    """What stands where a post ends for who is not on the list."""
    is_stranger = audience is Audience.STRANGER
    return Invitation(
        text or "The rest of this post is for subscribers.",
        f"Subscribe to {theme.name}" if is_stranger else "",
        theme.subscribe_url if is_stranger else "",
    )


def end_of_preview(text: str, theme: Theme, audience: Audience, tiers: tuple[str, ...]) -> Invitation:
    """What stands where a post ends for who does not pay, or not for one of these tiers, and how to read on."""
    words = text or f"The rest of this post is for {_listed(tiers) if tiers else 'paying readers'}."
    if audience is Audience.OTHER:
        return Invitation(words, "Switch in your account", f"{theme.site_url}/account")
    if theme.upgrade_url:
        return Invitation(words, f"Support {theme.publication_name}", theme.upgrade_url)
    is_stranger = audience is Audience.STRANGER
    return Invitation(
        words,
        f"Subscribe to {theme.name}" if is_stranger else "",
        theme.subscribe_url if is_stranger else "",
    )


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
