"""Whether the pool takes work from the queue: a pool that hangs looks as idle as one that has nothing to do."""

import mmap
import struct

from redis import Redis
from redis.exceptions import RedisError

from newsletter import clock, jobs
from newsletter.config import settings

PATIENCE = 90.0  # seconds: longer than any job takes that is not waiting for a mail server
_beat = mmap.mmap(-1, 8)  # anonymous shared memory: made before the children are forked


def beat() -> None:
    """Told by the pool's processes, as a job begins and as it ends."""
    _beat[:] = struct.pack("d", clock.seconds_awake_or_asleep())


def is_well() -> bool:
    """True if the pool has worked lately, or had nothing to do. Asked by the main process, every few seconds."""
    if not _has_jobs():
        beat()
    (last,) = struct.unpack("d", _beat[:])
    return bool(clock.seconds_awake_or_asleep() - last < PATIENCE)


def _has_jobs() -> bool:
    """Whether jobs wait in the queues. Without Redis there are none: then the main process works by itself."""
    try:
        with Redis.from_url(settings().redis_url, socket_connect_timeout=1, socket_timeout=2) as redis:
            return any(redis.llen(queue) for queue in (jobs.NOTICES, jobs.MAILINGS))
    except (RedisError, OSError):
        return False
