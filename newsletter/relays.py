"""What an address of MAIL_URL asks for besides the way: its share, its connections, its limits."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from newsletter.limits import UNLIMITED, Limits, number, whole

CONNECTIONS: Final = 4  # in each worker process, where the address does not say
_LIMITS: Final = ("per_second", "per_hour", "per_day")


@dataclass(frozen=True)
class Relay:
    """One way out."""

    url: str
    name: str  # for people, logs and lanes: no user, no password
    connections: int = CONNECTIONS
    weight: int = 1  # its share of the messages; 0: stands by until no other takes anything
    limits: Limits = UNLIMITED


def read_all(urls: tuple[str, ...]) -> tuple[Relay, ...]:
    """In the order given, no two with the same name. Raises ValueError with a sentence for the operator."""
    found: list[Relay] = []
    for url in urls:
        relay = read(url)
        names = {each.name for each in found}
        same = sum(name == relay.name or name.startswith(f"{relay.name} ") for name in names)
        name = f"{relay.name} {same + 1}" if same else relay.name
        found.append(Relay(url, name, relay.connections, relay.weight, relay.limits))
    if found and not any(relay.weight for relay in found):
        raise ValueError("at least one way out needs a weight above 0")
    return tuple(found)


def read(url: str) -> Relay:
    """Raises ValueError with a sentence for the operator."""
    parts = urlsplit(url)
    asked = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    for name in asked:
        if name.startswith("per_") and name not in _LIMITS:
            raise ValueError(f"“{name}” is no limit: there are {', '.join(_LIMITS)}")
    host = parts.hostname or parts.scheme
    port = _port(parts.netloc, host)
    return Relay(
        url=url,
        name=f"{host}:{port}" if port else host,
        connections=whole(asked["connections"], "connections", 1, 200) if "connections" in asked else CONNECTIONS,
        weight=whole(asked["weight"], "weight", 0, 1000) if "weight" in asked else 1,
        limits=Limits(
            number(asked["per_second"], "per_second") if "per_second" in asked else None,
            whole(asked["per_hour"], "per_hour") if "per_hour" in asked else None,
            whole(asked["per_day"], "per_day") if "per_day" in asked else None,
        ),
    )


def _port(netloc: str, host: str) -> int | None:
    try:
        return urlsplit(f"//{netloc}").port
    except ValueError:
        raise ValueError(f"the port of {host} must be a number up to 65535") from None
