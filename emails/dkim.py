"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, SHA-256, by RSA and Ed25519.

`sign` signs any finished message. `SignedLetter` signs the messages of one letter and gives the same bytes, but works
out only once what they have in common: a slot in a body stands between soft line breaks, so the canonical form of a
constant part does not depend on what a reader's values are.
"""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple, TypeVar, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from emails import quoted_printable
from emails.errors import LetterError
from emails.letter import Letter
from emails.values import Recipient

SHORTEST_RSA = 2048  # bits

# Each is listed once more than it occurs, so that nobody can add one on the way (RFC 6376 §8.15).
SIGNED = (
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Help",
    "List-Owner",
    "List-Post",
    "List-Archive",
    "List-Subscribe",
    "Feedback-ID",
    "CFBL-Address",
    "CFBL-Feedback-ID",
)

_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\Z")
_WHITE = re.compile(rb"[ \t]{2,}|\t")  # but for single blanks, which stay: what is canonical stays the same object
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_GAP = b"\0"  # where a value will stand: in no header there is one
_COLUMNS = 72

_Field = tuple[bytes, bytes]  # name in small letters, value as written
_Value = TypeVar("_Value")


class BadKey(LetterError):
    """What should be a private key is none that mail can be signed with."""


class BadSelector(LetterError):
    """This cannot be the name of a key in the DNS."""


@dataclass(frozen=True)
class Key:
    """A private key, and the selector under which its public half is in the DNS."""

    algorithm: str  # rsa-sha256 | ed25519-sha256
    selector: str
    sign: Callable[[bytes], bytes]  # the bytes that RFC 6376 §3.7 says: canonical header fields
    public: str  # of the DNS record, in base64

    @property
    def record(self) -> str:
        """The TXT record at `<selector>._domainkey.<domain>` (RFC 6376 §3.6.1)."""
        return f"v=DKIM1; k={self.algorithm.partition('-')[0]}; p={self.public}"


def read_key(pem: bytes, selector: str) -> Key:
    """A key from PEM without a password. Raises BadKey or BadSelector."""
    if not _SELECTOR.match(selector):
        raise BadSelector(f"“{selector}” cannot be a selector: letters, digits and hyphens, such as “2027a”.")
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadKey("it is not a private key in PEM without a password.") from None
    if isinstance(private, RSAPrivateKey):
        if private.key_size < SHORTEST_RSA:
            raise BadKey(f"it has {private.key_size} bits, and mailboxes want {SHORTEST_RSA}.")
        written = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return Key("rsa-sha256", selector, _rsa(private), b64encode(written).decode())
    if isinstance(private, Ed25519PrivateKey):
        raw = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return Key("ed25519-sha256", selector, _ed25519(private), b64encode(raw).decode())
    raise BadKey("it is neither an RSA nor an Ed25519 key.")


def sign(message: bytes, domain: str, keys: Sequence[Key]) -> bytes:
    """The message (CRLF) with one signature by each key in front. The same bytes give the same signatures."""
    header, _, body = message.partition(b"\r\n\r\n")
    fields = [_field(field) for field in _FIELD_END.split(header)]
    signatures = [_Signature(key, domain, fields) for key in keys]
    covered = [canonical_field(*field) + b"\r\n" for field in _covered(fields)]
    digest = b64encode(sha256(canonical_body(body)).digest())
    return b"".join([*(each.line(covered, digest) for each in signatures), message])


def canonical_body(body: bytes) -> bytes:
    """RFC 6376 §3.4.4: single blanks, none at the end of a line, no empty lines at the end."""
    written = _canonical_lines(body if body.endswith(b"\r\n") else body + b"\r\n")
    end = len(written)
    while written.endswith(b"\r\n", 0, end):
        end -= 2
    return written[:end] + b"\r\n" if end else b""


def canonical_field(name: bytes, value: bytes) -> bytes:
    """RFC 6376 §3.4.2: name in small letters, value on one line with single blanks. Without a line end."""
    line = value.replace(b"\r\n", b"")
    if b"  " in line or b"\t" in line:  # to look costs less than to replace what is not there
        line = _WHITE.sub(b" ", line)
    return b"%b:%b" % (name, line.strip(b" "))


class SignedLetter:
    """A letter whose messages are signed as they are made."""

    def __init__(self, letter: Letter, domain: str, keys: Sequence[Key]) -> None:
        self._letter = letter
        self._domain = domain
        self._keys = tuple(keys)
        self._plan = _Plan.of(letter, domain, keys)

    @property
    def is_planned(self) -> bool:
        """Whether its messages are signed the quick way."""
        return self._plan is not None

    def splice(self, recipient: Recipient) -> bytes:
        """This reader's message: the bytes that `sign` would make of it."""
        return b"".join(self.fill(recipient))

    def fill(self, recipient: Recipient) -> list[bytes]:
        """The same, still in parts."""
        return self.begin(recipient).signed()

    def begin(self, recipient: Recipient) -> "Unsigned":
        """The same, but for the signatures themselves."""
        filled = self._letter.fill(recipient)
        if self._plan is None:
            return Unsigned((), (), b"", [sign(b"".join(filled), self._domain, self._keys)])
        return self._plan.unsigned(filled)


class Unsigned(NamedTuple):
    """A message that lacks nothing but its signatures. Who makes many begins them all, and then signs them all: what
    takes turns with the mathematics of a signature finds the processor's caches empty each time."""

    signatures: Sequence["_Signature"]
    covered: Sequence[bytes]  # canonical header fields
    digest: bytes  # of the body
    parts: list[bytes]

    def signed(self) -> list[bytes]:
        return [*[each.line(self.covered, self.digest) for each in self.signatures], *self.parts]


class _Signature:
    """The field of one key, but for what must be worked out for each message."""

    def __init__(self, key: Key, domain: str, fields: list[_Field]) -> None:
        names = Counter(name for name, _ in fields)
        listed = [name for name in SIGNED for _ in range(names[name.lower().encode()] + 1)]
        tags = f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain};\r\n s={key.selector};{_moment(fields)}\r\n h="
        self._sign = key.sign
        self._before = f"DKIM-Signature: {tags}{_folded(listed)};\r\n bh=".encode("ascii")
        self._before_canonical = canonical_field(*_field(self._before))

    def line(self, covered: Sequence[bytes], digest: bytes) -> bytes:
        value = b64encode(self._sign(b"".join([*covered, self._before_canonical, digest, b"; b="])))
        pieces = [value[at : at + _COLUMNS] for at in range(0, len(value), _COLUMNS)]
        return b"%b%b;\r\n b=%b\r\n" % (self._before, digest, b"\r\n ".join(pieces))


class _Plan:
    """What the signatures of all messages of a letter have in common, worked out once."""

    def __init__(self, head: list[bytes | int], body: list[bytes | int], domain: str, keys: Sequence[Key]) -> None:
        gaps = [part for part in head if isinstance(part, int)]
        marked = b"".join(_GAP if isinstance(part, int) else part for part in head)
        fields = [_field(field) for field in _FIELD_END.split(marked)]
        self._signatures = [_Signature(key, domain, fields) for key in keys]
        covered = _covered([(name, _reopened(value, gaps)) for name, value in fields])
        self._constant = [_constant(*field) for field in covered]
        self._varying = [(at, *field) for at, field in enumerate(covered) if not self._constant[at]]
        canonical = [part if isinstance(part, int) else _canonical_lines(part) for part in body[:-1]]
        last = body[-1]
        assert isinstance(last, bytes)
        whole: list[bytes | int] = [*canonical, canonical_body(last)]
        self._start = sha256(_filled(whole[:1], []))  # no body begins with a value
        self._body = whole[1:]

    @classmethod
    def of(cls, letter: Letter, domain: str, keys: Sequence[Key]) -> "_Plan | None":
        """None for a letter whose values do not stand between soft line breaks: its messages are signed one by one."""
        parts = [part if isinstance(part, bytes) else number for number, part in enumerate(letter.parts)]
        ends = next((at for at, part in enumerate(parts) if isinstance(part, bytes) and b"\r\n\r\n" in part), None)
        if ends is None:
            return None
        last_of_head, _, first_of_body = cast(bytes, parts[ends]).partition(b"\r\n\r\n")
        body = [first_of_body, *parts[ends + 1 :]]
        if not _stands_apart(body):
            return None
        return cls([*parts[:ends], last_of_head], body, domain, keys)

    def unsigned(self, filled: list[bytes]) -> Unsigned:
        body = self._start.copy()
        for part in self._body:  # one by one: what is constant stays in the processor's cache, a joined copy would not
            body.update(filled[part] if isinstance(part, int) else part)
        digest = b64encode(body.digest())
        covered = self._constant.copy()
        for at, name, value in self._varying:
            covered[at] = canonical_field(name, _filled(value, filled)) + b"\r\n"
        return Unsigned(self._signatures, covered, digest, filled)


def _stands_apart(body: list[bytes | int]) -> bool:
    """Whether each value has lines of its own, made of characters that no canonical form changes."""
    if not isinstance(body[-1], bytes):
        return False
    for before, after in pairwise(body):
        if isinstance(after, int) and not (isinstance(before, bytes) and before.endswith(b"\r\n")):
            return False
        if isinstance(before, int) and not (isinstance(after, bytes) and after.startswith(quoted_printable.SOFT)):
            return False
    return True


def _reopened(value: bytes, gaps: list[int]) -> list[bytes | int]:
    """The parts of a field's value; takes its gaps from the front."""
    first, *others = value.split(_GAP)
    parts: list[bytes | int] = [first]
    for other in others:
        parts += [gaps.pop(0), other]
    return parts


def _constant(name: bytes, value: list[bytes | int]) -> bytes:
    """The canonical form of a field without gaps; of others, nothing yet."""
    only = value[0]
    return canonical_field(name, only) + b"\r\n" if len(value) == 1 and isinstance(only, bytes) else b""


def _filled(parts: Sequence[bytes | int], values: list[bytes]) -> bytes:
    return b"".join([part if isinstance(part, bytes) else values[part] for part in parts])


def _covered(fields: list[tuple[bytes, _Value]]) -> list[tuple[bytes, _Value]]:
    """The fields that are signed, in the order of h=; of several with one name the lowest goes first (§5.4.2)."""
    return [field for name in SIGNED for field in reversed(fields) if field[0] == name.lower().encode()]


def _field(written: bytes) -> _Field:
    name, _, value = written.partition(b":")
    return name.strip(b" \t").lower(), value


def _canonical_lines(lines: bytes) -> bytes:
    return _WHITE.sub(b" ", lines).replace(b" \r\n", b"\r\n")


def _moment(fields: list[_Field]) -> str:
    """When it was signed: the message's own date, so that the same message is the same bytes on every attempt."""
    date = next((value for name, value in fields if name == b"date"), b"")
    parsed = parsedate_tz(date.decode("latin-1"))
    return f" t={int(mktime_tz(parsed))};" if parsed else ""


def _folded(names: list[str]) -> str:
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > _COLUMNS:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n ".join(lines).removesuffix(":")


def _rsa(private: RSAPrivateKey) -> Callable[[bytes], bytes]:
    padding, hashed = PKCS1v15(), Prehashed(hashes.SHA256())
    return lambda covered: private.sign(sha256(covered).digest(), padding, hashed)


def _ed25519(private: Ed25519PrivateKey) -> Callable[[bytes], bytes]:
    return lambda covered: private.sign(sha256(covered).digest())  # RFC 8463 §3
