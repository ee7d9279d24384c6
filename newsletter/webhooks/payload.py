"""Reading what others wrote: any field may be missing, of another type, too long, or no text that can be stored."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256

from newsletter.webhooks.call import Unreadable

TOKENS = ("newsletter_token", "token")  # the names under which a provider may keep our token beside a message
MOST_WORDS = 1000  # characters
MOST_NAME = 200

_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
# A code where RFC 2034 §4 puts it: behind a reply of its class. Elsewhere it may be an IP address or a version.
_IN_REPLY = re.compile(r"(?:^|[\s;:<(])([245])\d\d[ -]\s*#?(\1\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_AT_START = re.compile(r"\s*(?:smtp;\s*)?#?([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)", re.IGNORECASE)


def parsed(body: bytes | str) -> object:
    """The value of a JSON document in UTF-8. Raises Unreadable."""
    try:
        return json.loads(body if isinstance(body, str) else body.decode())
    except (ValueError, RecursionError):
        raise Unreadable("not JSON in UTF-8") from None


def fields(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def text(value: object, most: int = MOST_WORDS) -> str:
    """A text or number as text that PostgreSQL can store; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:most].encode("utf-8", "replace").decode().replace("\0", "").strip()


def words(*parts: object) -> str:
    return " ".join(part for part in map(text, parts) if part)[:MOST_WORDS]


def name(value: object, event: object) -> str:
    """The name of an event; made from all of it where the provider gave none, so that no two are taken for one."""
    given = text(value, MOST_NAME + 1)
    if given and len(given) <= MOST_NAME:
        return given
    return sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()


def token(kept: object) -> str:
    """Our token among what a provider kept beside a message. Unchecked; empty if it is not there."""
    return next((found for name in TOKENS if (found := first(fields(kept).get(name)))), "")


def first(value: object) -> str:
    """A text, or the first of a list."""
    listed = items(value)[:1]
    return text(listed[0] if listed else value)


def moment(value: object) -> datetime | None:
    """From seconds since 1970, or ISO 8601 with an offset."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        read = datetime.fromisoformat(text(value, 64))
    except (ValueError, OverflowError, OSError):
        return None
    return read.astimezone(UTC) if read.tzinfo else None


def status(told: object, reply: str) -> str:
    """The most exact enhanced status code (RFC 3463) there is: as told, or in the receiving server's own reply.

    “5.0.0” says no more than that something failed, and gives way to what the server said.
    """
    found = _STATUS.fullmatch(text(told, 20))
    if found and (found[2], found[3]) != ("0", "0"):
        return found[0]
    in_reply = _IN_REPLY.search(reply)
    at_start = _AT_START.match(reply)
    if in_reply:
        return in_reply[2]
    if at_start:
        return at_start[1]
    return found[0] if found else ""
