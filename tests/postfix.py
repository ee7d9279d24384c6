"""A private Postfix on loopback, with smtp-sink behind it: it keeps what arrives, and its own log."""

import getpass
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

_ID = re.compile(rb"^message-id: <([^@>]+)", re.IGNORECASE | re.MULTILINE)

MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {home}
maillog_file = {home}/log/maillog
enable_long_queue_ids = {long}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.org
mydestination =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:{sink}
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_dns_support_level = disabled
smtp_connection_cache_on_demand = no
queue_run_delay = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 2s
alias_maps =
alias_database =
local_recipient_maps =
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - 20 smtp
relay     unix  - - n - 20 smtp
lmtp      unix  - - n - 20 lmtp
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


def is_here() -> bool:
    """It can only be started by root, and needs Debian's postfix."""
    return getpass.getuser() == "root" and all(
        shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("postfix", "smtp-sink")
    )


class Postfix:
    """Started when entered, and gone afterwards: both by their own process ids."""

    def __init__(self, *, long_ids: bool = True, more: str = "") -> None:
        # Not in pytest's own folder: that is closed to Postfix's user whenever another pytest starts.
        self.home = home = Path(tempfile.mkdtemp(prefix="newsletter-postfix-"))
        self.port, self._sink_port = _free_port(), _free_port()
        self.log = home / "log" / "maillog"
        self._more = more  # lines of main.cf
        self._long = "yes" if long_ids else "no"
        self._sink: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        owner = pwd.getpwnam("postfix")
        for name in ("conf", "queue", "data", "log", "mail"):
            (self.home / name).mkdir(parents=True)
        self.home.chmod(0o755)
        values = {"home": self.home, "port": self.port, "sink": self._sink_port, "long": self._long}
        (self.home / "conf" / "main.cf").write_text(MAIN.format(**values) + self._more)
        (self.home / "conf" / "master.cf").write_text(MASTER.format(**values))
        for name in ("data", "mail"):
            os.chown(self.home / name, owner.pw_uid, owner.pw_gid)
        with (self.home / "log" / "sink").open("wb") as said:
            self._sink = subprocess.Popen(
                [
                    "/usr/sbin/smtp-sink",
                    "-u",
                    "postfix",
                    "-d",
                    f"{self.home}/mail/%s.",
                    f"127.0.0.1:{self._sink_port}",
                    "500",
                ],
                stderr=said,
                start_new_session=True,
            )
        try:
            self._postfix("start")
            _wait_for_port(self.port)
            _wait_for_port(self._sink_port)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._postfix("stop", check=False)
        if self._sink is not None:
            os.killpg(self._sink.pid, signal.SIGKILL)
            self._sink.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)

    def rotate(self) -> None:
        """A new log, the old one compressed beside it."""
        self._postfix("logrotate")

    def arrived(self) -> Counter[str]:
        """How often each Message-ID (up to the @) has come out of the queue, at the sink."""
        found: Counter[str] = Counter()
        for path in (self.home / "mail").iterdir():
            found.update(each.decode() for each in _ID.findall(path.read_bytes()))
        return found

    def queued(self) -> int:
        """Messages that it still holds."""
        told = subprocess.run(
            ["/usr/sbin/postqueue", "-c", str(self.home / "conf"), "-j"], capture_output=True, check=False, timeout=30
        )
        return told.stdout.count(b"\n")

    def troubles(self) -> str:
        """What its log complains about."""
        lines = self.log.read_text().splitlines()
        troubles = [line for line in lines if "warning" in line or "deferred" in line or "fatal" in line]
        return "\n".join([*troubles[-10:], (self.home / "log" / "sink").read_text()])

    def _postfix(self, command: str, *, check: bool = True) -> None:
        done = subprocess.run(
            ["/usr/sbin/postfix", "-c", str(self.home / "conf"), command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode:
            log = self.log.read_text()[-2000:] if self.log.exists() else ""
            raise AssertionError(f"postfix {command}: {done.stdout}{done.stderr}{log}")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for_port(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.recv(100)
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
