"""Whether everyone due has exactly one message and nobody else has any, told from the received files alone."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from newsletter.up import letterbox
from newsletter.up.letterbox import Letter


def differences(inbox: Path, mailing_id: int, due: set[str], *, strict: bool) -> list[str]:
    """A sentence for each address that has too many messages, or too few; empty when all is well.

    `strict`: messages that are not of this mailing are too many as well.
    """
    letters = letterbox.letters(inbox)
    of_mailing = [letter for letter in letters if _is_of(mailing_id, letter)]
    others = [letter for letter in letters if letter not in of_mailing]
    found = _compare("by envelope", _counted(_by_envelope, of_mailing), due)
    found += _compare("by its To header", _counted(_by_header, of_mailing), due)
    if strict:
        found += [f"{letter.address}: has a message that is not of this mailing" for letter in others]
    return found


def _is_of(mailing_id: int, letter: Letter) -> bool:
    return str(letter.headers().get("Message-ID", "")).strip().startswith(f"<m{mailing_id}.")


def _compare(told: str, counts: Counter[str], due: set[str]) -> list[str]:
    missed = [f"{address}: is due and has no message, {told}" for address in sorted(due - counts.keys())]
    extra = [f"{address}: is not due and has a message, {told}" for address in sorted(counts.keys() - due)]
    twice = [f"{address}: has {n} messages, {told}" for address, n in sorted(counts.items()) if n > 1]
    return missed + extra + twice


def _counted(read: Callable[[Letter], list[str]], letters: list[Letter]) -> Counter[str]:
    return Counter(address for letter in letters for address in read(letter))


def _by_envelope(letter: Letter) -> list[str]:
    recipients = letter.envelope()["recipients"]
    assert isinstance(recipients, list)
    return recipients


def _by_header(letter: Letter) -> list[str]:
    to = letter.headers()["To"]
    return [address.addr_spec for address in to.addresses] if to else []
