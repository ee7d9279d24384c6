"""Redis or Valkey: there, new enough, keeps what it is given, and is not open to strangers."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError

from newsletter.doctor.findings import Finding, fail, ok, warn

OLDEST = {"redis": 7, "valkey": 8}
LOCAL = {"localhost", "127.0.0.1", "::1"}
_PATIENCE = 3.0  # seconds


def check(url: str) -> Iterator[Finding]:
    try:
        told = _info(url)
    except RedisError as error:
        advice = "Check REDIS_URL, and that the server runs. Mail still goes out without it, a little later."
        yield fail("Redis", f"does not answer: {error}", advice)
        return
    yield _version(told)
    if (policy := told.get("maxmemory_policy", "noeviction")) != "noeviction":
        yield warn("Redis", f"throws away entries when it is full ({policy}).", "Set: maxmemory-policy noeviction")
    host = urlsplit(url).hostname or "localhost"
    if host not in LOCAL:
        yield _door(url, host)


def _info(url: str) -> dict[str, Any]:  # the server's own names and values
    with Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE) as redis:
        redis.ping()
        return dict(redis.info())


def _version(told: dict[str, Any]) -> Finding:
    name = str(told.get("server_name") or "redis")
    version = str(told.get(f"{name}_version") or told.get("redis_version"))
    if int(version.split(".")[0]) < OLDEST.get(name, 0):
        return fail("Redis", f"is {name} {version}.", f"{name.title()} {OLDEST[name]} is the oldest that works.")
    return ok("Redis", f"answers, {name} {version}.")


def _door(url: str, host: str) -> Finding:
    """Whether it lets anybody in who comes without a password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    stranger = parts._replace(netloc=f"{host if ':' not in host else f'[{host}]'}{port}").geturl()
    try:
        with Redis.from_url(stranger, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE) as redis:
            redis.ping()
    except AuthenticationError:
        return ok("Redis", "asks for a password.")
    except RedisError as error:
        return ok("Redis", f"does not let strangers in: {error}")
    advice = "Set a password there (requirepass), name it in REDIS_URL, and let the firewall admit your hosts only."
    return fail("Redis", f"on {host} lets everybody in without a password.", advice)
