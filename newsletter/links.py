"""Every signed link we mail out, made and read in one place.

A token is a purpose-bound message: what it names and a 128-bit keyed hash over purpose and names. It holds no address,
never expires unless its purpose says so, and nothing is stored: a link in a ten-year-old letter still works.
Lower-case base32, so that it survives in URLs, in the local part of an address, and in clients that fold case.
"""

import base64
import hmac
import struct
from enum import IntEnum
from hashlib import blake2b

from newsletter.config import settings
from newsletter.errors import NotFound

MAC_BYTES = 16


class Purpose(IntEnum):
    """What a link may do, and nothing else. Numbers are for ever: they are in letters already sent."""

    LEAVE = 1  # subscriber, newsletter, mailing (0: not from a mailing)
    PREFERENCES = 2  # subscriber
    CONFIRM = 3  # subscriber, notice
    REFUSE = 4  # subscriber, notice: "this was not me, never write to me again"
    UNDO_LEAVE = 5  # subscriber, newsletter (0: all), consent event
    FORM = 6  # when the form was shown, in seconds since 1970
    PREVIEW = 7  # post
    UNDO_ADDRESS = 8  # subscriber, code: the old mailbox takes a change of address back


class BadLink(NotFound):
    def __init__(self) -> None:
        super().__init__("This link is not complete or not ours. Try copying it again from the message.")


def sign(purpose: Purpose, *numbers: int) -> str:
    """A token for a purpose and up to eight numbers (0 ≤ n < 2⁶⁴). About 2 µs."""
    named = _pack(numbers)
    return base64.b32encode(_mac(settings().all_secret_keys[0], purpose, named) + named).decode().rstrip("=").lower()


def read(purpose: Purpose, token: str) -> tuple[int, ...]:
    """The numbers of a token made for this purpose. Raises BadLink."""
    try:
        padded = token.upper() + "=" * (-len(token) % 8)
        raw = base64.b32decode(padded)
    except ValueError:
        raise BadLink from None
    mac, named = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not any(hmac.compare_digest(mac, _mac(key, purpose, named)) for key in settings().all_secret_keys):
        raise BadLink
    return _unpack(named)


def fingerprint(purpose: str, text: str) -> bytes:
    """A keyed hash (32 bytes) that recognises a text without keeping it, under the first and lasting secret key."""
    return blake2b(
        text.encode(), key=_key(settings().all_secret_keys[-1]), person=purpose.encode()[:16], digest_size=32
    ).digest()


def _mac(secret: str, purpose: Purpose, named: bytes) -> bytes:
    return blake2b(named, key=_key(secret), person=b"link-%d" % purpose, digest_size=MAC_BYTES).digest()


def _key(secret: str) -> bytes:
    return blake2b(secret.encode(), person=b"newsletter", digest_size=32).digest()


def _pack(numbers: tuple[int, ...]) -> bytes:
    # One length byte a number keeps a token short enough for the local part of an address (64 characters).
    return b"".join(bytes([len(raw)]) + raw for raw in (struct.pack(">Q", n).lstrip(b"\0") for n in numbers))


def _unpack(named: bytes) -> tuple[int, ...]:
    numbers = []
    while named:
        length = named[0]
        numbers.append(int.from_bytes(named[1 : 1 + length], "big"))
        named = named[1 + length :]
    return tuple(numbers)
