"""Mail addresses as they are written in a message: ASCII, with the domain as DNS knows it."""

import re
from functools import lru_cache

import idna

from emails.errors import UnsupportedAddress

_MAILABLE = re.compile(
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\Z"
)


def mailable(address: str) -> str:
    """The address for To and RCPT TO, or UnsupportedAddress. Nothing that passes can leave its place in a header."""
    if _MAILABLE.match(address):
        return address
    local, at, domain = address.rpartition("@")
    if at and not local.isascii():
        raise UnsupportedAddress(f"“{address}” has letters before the @ that many mail servers refuse.")
    written = f"{local}@{_ascii_domain(domain)}" if not domain.isascii() else address
    if not _MAILABLE.match(written):
        raise UnsupportedAddress(f"“{address}” is not an address that mail can be sent to.")
    return written


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return ""
