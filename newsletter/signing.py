"""The keys that sign our mail (DKIM): read once in a process, and only where they are set."""

from functools import lru_cache
from pathlib import Path

import emails
from emails import dkim
from newsletter import config

_Place = tuple[Path | None, str, str, str]  # file, selector, algorithm, name of the setting


def load(settings: config.Settings) -> tuple[emails.Key, ...]:
    """RSA first. Raises BadSettings with a sentence for each key that cannot be used."""
    keys = [_key(*place) for place in _places(settings) if place[0]]
    if keys and keys[0].algorithm != "rsa-sha256":
        raise config.BadSettings("DKIM_ED25519_KEY needs DKIM_KEY beside it: many mailboxes know RSA alone.")
    return tuple(keys)


def letter(letter: emails.Letter, sender: str) -> emails.Letter | emails.SignedLetter:
    """The letter itself, or one whose messages are signed for the sender's domain."""
    keys = load(config.settings())
    return emails.SignedLetter(letter, domain(sender), keys) if keys else letter


def message(content: bytes, sender: str) -> bytes:
    """A finished message, signed where there are keys."""
    keys = load(config.settings())
    return dkim.sign(content, domain(sender), keys) if keys else content


def domain(sender: str) -> str:
    """What stands in d=: the very domain of From, as the DNS knows it."""
    return emails.mailable(sender).rpartition("@")[2]


def _places(settings: config.Settings) -> list[_Place]:
    return [
        (settings.dkim_key, settings.dkim_selector, "rsa-sha256", "DKIM_KEY"),
        (settings.dkim_ed25519_key, settings.dkim_ed25519_selector, "ed25519-sha256", "DKIM_ED25519_KEY"),
    ]


@lru_cache(maxsize=8)
def _key(path: Path, selector: str, algorithm: str, setting: str) -> emails.Key:
    try:
        key = dkim.read_key(path.read_bytes(), selector)
    except OSError as error:
        raise config.BadSettings(f"{setting}: {path} cannot be read: {error.strerror}.") from None
    except dkim.BadSelector as error:
        raise config.BadSettings(f"{setting.replace('_KEY', '_SELECTOR')}: {error}") from None
    except emails.BadKey as error:
        raise config.BadSettings(f"{setting}: {path} cannot sign: {error}") from None
    if key.algorithm != algorithm:
        raise config.BadSettings(f"{setting}: {path} holds a key for {key.algorithm}, not for {algorithm}.")
    return key
