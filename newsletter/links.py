"""Every signed link we mail out, made and read in one place.

A token is a purpose-bound message: what it names and a 128-bit keyed hash over purpose and names. It holds no address,
never expires unless its purpose says so, and nothing is stored: a link in a ten-year-old letter still works.
Lower-case base32, so that it survives in URLs, in the local part of an address, and in clients that fold case.
"""

import base64
import hmac
from collections.abc import Callable
from enum import IntEnum
from functools import cache, lru_cache
from hashlib import blake2b

from newsletter.config import Settings, settings
from newsletter.errors import NotFound

MAC_BYTES = 16
# Spam filters take a word of that length for the address of a purse if it begins like this. One letter before it, and
# they do not. Links from before there was that letter are good without it.
_SUSPECT, _GUARD = "3", "z"


class Purpose(IntEnum):
    """What a link may do, and nothing else. Numbers are for ever: they are in letters already sent."""

    LEAVE = 1  # subscriber, newsletter, mailing (0: not from a mailing)
    PREFERENCES = 2  # subscriber
    CONFIRM = 3  # subscriber, notice
    REFUSE = 4  # subscriber, notice: "this was not me, never write to me again"
    UNDO_LEAVE = 5  # subscriber, newsletter (0: all), consent event
    FORM = 6  # when the form was shown, in seconds since 1970
    PREVIEW = 7  # post
    BOUNCE = 9  # mailing (0: a notice), subscriber (or notice): the return path of one message
    SIGN_IN = 10  # request to sign in: opens nothing but in the browser that asked
    FEED = 12  # subscriber, number of the feed: their own feed, until they ask for another address
    GIFT = 13  # gift: whoever has it may take it
    SEAT = 14  # place in a group: whoever has it may take it
    ACCOUNT = 11  # session: proves that a form of the account was shown to who sends it
    UNDO_ADDRESS = 8  # subscriber, code: the old mailbox takes a change of address back


class BadLink(NotFound):
    def __init__(self) -> None:
        super().__init__("This link is not complete or not ours. Try copying it again from the message.")


def sign(purpose: Purpose, *numbers: int) -> str:
    """A token for a purpose and up to eight numbers (0 ≤ n < 2⁶⁴). About 4 µs."""
    named = _pack(numbers)
    return _base32(_mac(_secret_keys()[0], purpose, named) + named)


def signer(purpose: Purpose, *last: int) -> Callable[[int], str]:
    """`sign(purpose, first, *last)` for many firsts: what does not change is done once."""
    begun, tail = _keyed(_secret_keys()[0], _PERSONS[purpose], MAC_BYTES), _pack(last)

    def sign_one(first: int) -> str:
        length = (first.bit_length() + 7) // 8
        named = b"%c%b%b" % (length, first.to_bytes(length, "big"), tail)
        mac = begun.copy()
        mac.update(named)
        return _base32(mac.digest() + named)

    return sign_one


def read(purpose: Purpose, token: str) -> tuple[int, ...]:
    """The numbers of a token made for this purpose. Raises BadLink."""
    guarded = [token[1:]] if token.lower().startswith(_GUARD + _SUSPECT) else []
    for written in (token, *guarded):
        named = _proved(purpose, written)
        if named is not None:
            return _unpack(named)
    raise BadLink


def _proved(purpose: Purpose, token: str) -> bytes | None:
    """What a token names, if it is genuine."""
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except ValueError:
        return None
    mac, named = raw[:MAC_BYTES], raw[MAC_BYTES:]
    is_ours = any(hmac.compare_digest(mac, _mac(key, purpose, named)) for key in _secret_keys())
    return named if is_ours else None


def fingerprint(purpose: str, text: str) -> bytes:
    """A keyed hash (32 bytes) that recognises a text without keeping it, under the first and lasting secret key."""
    return fingerprinter(purpose)(text)


def fingerprinter(purpose: str) -> Callable[[str], bytes]:
    """`fingerprint(purpose, text)` for many texts: what does not change is done once."""
    begun = _keyed(_secret_keys()[-1], purpose.encode()[:16], 32)

    def fingerprint_one(text: str) -> bytes:
        hashed = begun.copy()
        hashed.update(text.encode())
        return hashed.digest()

    return fingerprint_one


def _mac(secret: str, purpose: Purpose, named: bytes) -> bytes:
    begun = _keyed(secret, _PERSONS[purpose], MAC_BYTES).copy()
    begun.update(named)
    return begun.digest()


# Several tokens go into every message: the hash of each purpose is begun once, and continued from a copy.
_PERSONS = {purpose: b"link-%d" % purpose for purpose in Purpose}


@lru_cache(maxsize=256)
def _keyed(secret: str, person: bytes, size: int) -> blake2b:
    key = blake2b(secret.encode(), person=b"newsletter", digest_size=32).digest()
    return blake2b(key=key, person=person, digest_size=size)


_of_settings: list[tuple[Settings, tuple[str, ...]]] = []


def _secret_keys() -> tuple[str, ...]:
    """settings().all_secret_keys, unwrapped once for each settings object."""
    current = settings()
    if not _of_settings or _of_settings[0][0] is not current:
        _of_settings[:] = [(current, current.all_secret_keys)]
    return _of_settings[0][1]


_LETTERS = bytes.maketrans(bytes(range(32)), b"abcdefghijklmnopqrstuvwxyz234567")  # of RFC 4648 §6, in lower case


def _base32(raw: bytes) -> str:
    """RFC 4648 without padding: as base64.b32encode, but quicker: several go into each message.

    The bits are one number, drawn apart by halves until each five of them have a byte of their own.
    """
    digits = (len(raw) * 8 + 4) // 5
    width, halvings = _spreading(digits)
    number = int.from_bytes(raw, "big") << (width * 5 - len(raw) * 8)
    for low, high, shift in halvings:
        number = (number & low) | ((number & high) << shift)
    written = number.to_bytes(width, "big")[:digits].translate(_LETTERS).decode("ascii")
    return _GUARD + written if written.startswith(_SUSPECT) else written


@cache
def _spreading(digits: int) -> tuple[int, list[tuple[int, int, int]]]:
    """A power of two that holds so many digits; and for each step the bits that stay, those that move, and how far."""
    width = 1 << max(digits - 1, 0).bit_length()
    halvings = []
    half = width // 2
    while half:
        cells = range(0, width, 2 * half)
        low = sum(((1 << 5 * half) - 1) << 8 * cell for cell in cells)
        halvings.append((low, low << 5 * half, 3 * half))
        half //= 2
    return width, halvings


def _pack(numbers: tuple[int, ...]) -> bytes:
    # One length byte a number keeps a token short enough for the local part of an address (64 characters).
    lengths = [(number.bit_length() + 7) // 8 for number in numbers]
    return b"".join([bytes((length,)) + n.to_bytes(length, "big") for n, length in zip(numbers, lengths, strict=True)])


def _unpack(named: bytes) -> tuple[int, ...]:
    numbers = []
    while named:
        length = named[0]
        numbers.append(int.from_bytes(named[1 : 1 + length], "big"))
        named = named[1 + length :]
    return tuple(numbers)
