"""A Postfix of our own on loopback: its configuration, queue and log in one folder, nothing of the system's touched."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from smtplib import SMTP

_MAIN = """\
compatibility_level = 3.6
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.postfix.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
transport_maps = texthash:{home}/etc/transport
smtp_dns_support_level = disabled
smtp_host_lookup = native
notify_classes =
smtpd_reject_unlisted_recipient = no
soft_bounce = no
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
delay_warning_time = 1s
maximal_queue_lifetime = 5s
"""

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def running(routes: dict[str, str]) -> Iterator[int]:
    """Its port, while it runs. `routes` names where mail for each domain goes: transport(5)."""
    home = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))  # where its own user may look, unlike pytest's folders
    port = _free_port()
    try:
        _furnish(home, port, routes)
        _postfix(home, "start")
        try:
            _wait(lambda: _listens(port), f"Postfix does not listen: {_log(home)}")
            yield port
        finally:
            _postfix(home, "stop")
    finally:
        shutil.rmtree(home)


def submit(port: int, sender: str, recipient: str, message: bytes, *options: str) -> None:
    with SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail(sender, recipient, message, rcpt_options=options)


def _furnish(home: Path, port: int, routes: dict[str, str]) -> None:
    home.chmod(0o755)
    for folder in ("etc", "queue", "data"):
        (home / folder).mkdir(mode=0o755)
    shutil.chown(home / "data", "postfix")
    (home / "etc" / "main.cf").write_text(_MAIN.format(home=home))
    (home / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    (home / "etc" / "transport").write_text("".join(f"{domain} {route}\n" for domain, route in routes.items()))


def _postfix(home: Path, command: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not re.match("MAIL_", name)}
    with (home / "said").open("ab") as said:  # a pipe would be kept open by what it starts
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", home / "etc", command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, f"postfix {command}: {(home / 'said').read_text()} {_log(home)}"


def _log(home: Path) -> str:
    return (home / "log").read_text()[-3000:] if (home / "log").exists() else "it wrote no log"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def _wait(is_true: Callable[[], bool], otherwise: str) -> None:
    until = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < until, otherwise
        time.sleep(0.05)
