"""Messages by the second: one bucket of tokens a lane, in Redis for all processes; a share of it for each without."""

import time
from dataclasses import dataclass, field

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsletter.config import settings

log = structlog.get_logger()

AWAY = 5.0  # seconds for which Redis is not asked after it did not answer
PATIENCE = 0.5  # seconds that it may take
BURST = 0.5  # seconds: what a bucket holds when nobody has taken from it

# A bucket grows by its rate; it may owe up to its size (what overtook). Its clock is the server's.
_TAKE = """
local rate, size, wanted, owed = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level = size
if kept[1] then level = math.min(size, kept[1] + math.max(0, now - kept[2]) * rate) end
level = math.max(level - owed, -size)
local taken = math.max(0, math.min(wanted, math.floor(level)))
level = level - taken
redis.call('HSET', KEYS[1], 'level', string.format('%.6f', level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(1000 * math.max(10, 3 * size / rate)))
return {taken, string.format('%.6f', level)}
"""


@dataclass
class _Bucket:
    level: float
    at: float = field(default_factory=time.monotonic)

    def take(self, rate: float, size: float, wanted: int, owed: int) -> tuple[int, float]:
        now = time.monotonic()
        self.level = max(min(size, self.level + (now - self.at) * rate) - owed, -size)
        self.at = now
        taken = max(0, min(wanted, int(self.level)))
        self.level -= taken
        return taken, self.level


class Pace:
    """The buckets as one process sees them. Never raises because Redis is away."""

    def __init__(self) -> None:
        self._script: redis.commands.core.Script | None = None
        self._away_until = 0.0
        self._own: dict[str, _Bucket] = {}

    def take(self, lane: str, rate: float, wanted: int, *, owed: int = 0, processes: int = 1) -> tuple[int, float]:
        """So many tokens of a lane that lets `rate` messages a second through, or as many as there are, and seconds
        until there is one more. `processes`: among how many the lane is shared while Redis is away."""
        size = max(1.0, rate * BURST)
        taken, level = self._from_redis(lane, rate, size, wanted, owed) or self._from_share(
            lane, rate / processes, max(1.0, size / processes), wanted, owed
        )
        return taken, max(0.0, (1 - level) / rate)

    def _from_redis(self, lane: str, rate: float, size: float, wanted: int, owed: int) -> tuple[int, float] | None:
        if time.monotonic() < self._away_until:
            return None
        try:
            taken, level = self._client()(keys=[f"newsletter:lane:{lane}"], args=[rate, size, wanted, owed])
        except (redis.RedisError, OSError) as error:
            log.warning("Redis is away: each process keeps to its share of the limits", reason=type(error).__name__)
            self._away_until = time.monotonic() + AWAY
            return None
        self._own.clear()  # when it is away again, shares begin anew
        return int(taken), float(level)

    def _from_share(self, lane: str, rate: float, size: float, wanted: int, owed: int) -> tuple[int, float]:
        """Begins with one token, not a bucket full: what Redis had given away is not known any more."""
        bucket = self._own.setdefault(lane, _Bucket(1.0))
        taken, level = bucket.take(rate, size, wanted, owed)
        return taken, level

    def _client(self) -> "redis.commands.core.Script":
        if self._script is None:
            client = redis.Redis.from_url(
                settings().redis_url,
                socket_timeout=PATIENCE,
                socket_connect_timeout=PATIENCE,
                retry=Retry(NoBackoff(), 0),
            )
            self._script = client.register_script(_TAKE)
        return self._script
