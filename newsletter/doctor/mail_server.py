"""The way out: connect, secure and sign in exactly as a worker does."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.config import Settings
from newsletter.doctor.findings import Finding, fail, ok, warn
from worker.transports import Unavailable, open_session

_PATIENCE = 10.0  # seconds


def check(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.mail_url)
    try:
        open_session(settings.mail_url, _PATIENCE).close()
    except Unavailable as error:
        yield fail("Mail server", str(error), "Check MAIL_URL. Mailings wait and go on when it answers.")
        return
    signed_in = ", and lets us in" if parts.username else ""
    yield ok("Mail server", f"{host_of(settings)} answers{signed_in}.")
    if "tls=none" in parts.query:
        yield warn("Mail server", "is spoken to without encryption.", "Take “tls=none” out of MAIL_URL.")
    if settings.inbox_dir:
        yield warn("Mail server", "mail may end in the local inbox.", "INBOX_DIR is for trying out; unset it.")


def host_of(settings: Settings) -> str:
    return urlsplit(settings.mail_url).hostname or "localhost"
