"""One way out as MAIL_URL writes it: who we are there, and what we wish."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from worker.transports.answers import Unavailable

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """The parts of one address, unquoted. Missing ones are empty."""

    scheme: str
    user: str
    password: str
    host: str
    path: str
    options: dict[str, str]

    def server(self, usual: str) -> str:
        """Where to connect: `usual`, unless a test says ?endpoint=. Raises Unavailable for one that is not here."""
        endpoint = self.options.get("endpoint", "")
        parts = urlsplit(endpoint)
        if endpoint and (parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK):
            raise Unavailable("MAIL_URL: ?endpoint= is for tests and may only name this machine.")
        return endpoint or usual

    def at_most(self, most: int, usual: int) -> int:
        """?batch=: how many messages go into one request."""
        asked = self.options.get("batch", str(usual))
        if not asked.isdigit() or not 1 <= int(asked) <= most:
            raise Unavailable(f"MAIL_URL: ?batch= must be a number from 1 to {most}.")
        return int(asked)


def read(url: str) -> Address:
    """Raises Unavailable when it cannot be taken apart."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise Unavailable("MAIL_URL cannot be read: quote special characters, / as %2F.") from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not all(33 <= ord(each) <= 126 for each in user + password):
        raise Unavailable("MAIL_URL: a key has letters, digits and signs, and no blanks. Quote it as in any address.")
    return Address(
        scheme=parts.scheme,
        user=user,
        password=password,
        host=host,
        path=unquote(parts.path),
        options={name: values[-1] for name, values in parse_qs(parts.query).items()},
    )
