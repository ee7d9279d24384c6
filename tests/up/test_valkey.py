import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsletter.up import processes, programs, valkey
from newsletter.up.processes import CannotStart


def test_what_waits_in_a_queue_survives_a_restart(tmp_path: Path) -> None:
    first = valkey.start(tmp_path)
    with redis.Redis.from_url(first.url) as client:
        client.rpush("mailings", "7")
    first.stop()

    again = valkey.start(tmp_path)
    try:
        with redis.Redis.from_url(again.url) as client:
            assert client.lrange("mailings", 0, -1) == [b"7"]
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
    finally:
        again.stop()


def test_two_run_beside_each_other(tmp_path: Path) -> None:
    one, two = valkey.start(tmp_path / "one"), valkey.start(tmp_path / "two")
    try:
        assert one.port != two.port
        with redis.Redis.from_url(one.url) as first, redis.Redis.from_url(two.url) as second:
            first.set("who", "one")
            assert second.get("who") is None
    finally:
        one.stop()
        two.stop()


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    server = valkey.start(tmp_path)
    try:
        with pytest.raises(CannotStart, match=f"in use by another process .pid {os.getpid()}"):
            valkey.start(tmp_path)
    finally:
        server.stop()


def test_only_its_owner_can_enter(tmp_path: Path) -> None:
    server = valkey.start(tmp_path)
    try:
        password = (tmp_path / "password").read_text().strip()
        assert server.process is not None
        assert password not in processes.command_of(server.process.pid)
        for private in ("password", "valkey.conf"):
            assert stat.S_IMODE((tmp_path / private).stat().st_mode) == 0o600
        once = Retry(NoBackoff(), 0)
        stranger = redis.Redis(host="127.0.0.1", port=server.port, retry=once)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        server.stop()


def test_a_server_whose_starter_was_killed_is_ended_before_the_next_one(tmp_path: Path) -> None:
    orphan_maker = (
        "import os, sys, pathlib, signal\n"
        "from newsletter.up.valkey import EmbeddedValkey\n"
        "server = EmbeddedValkey(pathlib.Path(sys.argv[1]), at_our_death=None)\n"
        "server.start()\n"
        "print(server.process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    made = subprocess.run([sys.executable, "-c", orphan_maker, tmp_path], capture_output=True, text=True, check=False)
    orphan = int(made.stdout)
    assert processes.started_at(orphan)

    server = valkey.start(tmp_path)

    assert processes.started_at(orphan) is None
    server.stop()


def test_without_any_valkey_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_package", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotStart, match=r"newsletter\[embedded\].*REDIS_URL"):
        valkey.start(tmp_path / "valkey")


@pytest.mark.servers
def test_the_systems_own_redis_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_package", lambda name: None)

    server = valkey.start(tmp_path)
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
    finally:
        server.stop()
