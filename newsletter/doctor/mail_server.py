"""The way out: connect, secure and sign in exactly as a worker does."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from newsletter.config import Settings
from newsletter.doctor.findings import Finding, fail, ok, warn
from worker.transports import Unavailable, open_session

_PATIENCE = 10.0  # seconds

# Those that are not called by their host, and the host by which sender_dns knows them.
_PROVIDERS = {
    "ses": ("Amazon SES", "amazonaws.com"),
    "postmark": ("Postmark", "postmarkapp.com"),
    "mailgun": ("Mailgun", "mailgun.org"),
    "resend": ("Resend", "amazonaws.com"),  # it sends by Amazon SES
}


def check(settings: Settings) -> Iterator[Finding]:
    for url in settings.mail_urls:
        yield from _check_one(url)
    if settings.inbox_dir:
        yield warn("Mail server", "mail may end in the local inbox.", "INBOX_DIR is for trying out; unset it.")


def host_of(settings: Settings) -> str:
    """Of the first way out."""
    parts = urlsplit(settings.mail_urls[0])
    return _PROVIDERS[parts.scheme][1] if parts.scheme in _PROVIDERS else parts.hostname or "localhost"


def _check_one(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    try:
        open_session(url, _PATIENCE).close()
    except Unavailable as error:
        yield fail("Mail server", str(error), "Check MAIL_URL. Mailings wait and go on when it answers.")
        return
    if parts.scheme == "files":
        yield warn(
            "Mail server", f"mail is put into {unquote(parts.path)}.", "See that somebody takes it on from there."
        )
        return
    name = _PROVIDERS[parts.scheme][0] if parts.scheme in _PROVIDERS else parts.hostname or parts.scheme
    signed_in = ", and lets us in" if parts.username else ""
    yield ok("Mail server", f"{name} answers{signed_in}.")
    if "tls=none" in parts.query:
        yield warn("Mail server", "is spoken to without encryption.", "Take “tls=none” out of MAIL_URL.")
