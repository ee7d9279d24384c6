"""What the law and the browsers want of us."""

from collections.abc import Iterator

from newsletter.config import Settings
from newsletter.doctor.findings import Finding, fail, ok, warn
from newsletter.publication.models import Publication

_HERE = {"localhost", "127.0.0.1", "::1"}


def check_settings(settings: Settings) -> Iterator[Finding]:
    if settings.site_host in _HERE:
        yield warn("Site", f"{settings.site_url} is this machine: readers cannot open links to it.", "Set SITE_URL.")
    elif settings.is_https:
        yield ok("Site", f"{settings.site_url}")
    else:
        advice = "Put a reverse proxy with a certificate before it, and begin SITE_URL with https://."
        yield fail("Site", f"{settings.site_url} is not encrypted.", advice)


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Whoever reads a signing key can write letters in our name."""
    for path in (settings.dkim_key, settings.dkim_ed25519_key):
        if path and path.stat().st_mode & 0o077:
            yield warn("DKIM key", f"{path} can be read by others on this machine.", f"Run: chmod 600 {path}")


def check_publication() -> Iterator[Finding]:
    publication = Publication.find()
    if publication is None:
        yield warn("Publication", "there is none yet.", "Run: newsletter create-owner")
    elif publication.postal_address.strip():
        yield ok("Postal address", "is set.")
    else:
        yield fail("Postal address", "is empty: nothing can be sent.", "Add it in Settings.")
