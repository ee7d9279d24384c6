"""One question to each judge: letters in, its answer out."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pwd import getpwnam, getpwuid
from tempfile import TemporaryDirectory
from typing import Any

from tests.conformance import programs
from tests.conformance.exceptions import NOT_FOR_MAIL
from tests.name_server import Zone, serving

MAIL_PROGRAMS = ("apple-mail.*", "gmail.*", "outlook.*", "yahoo.*")
_VACATION = 'require ["vacation"];\nvacation :days 1 :subject "Away" "I am away until Monday.";\n'
_DOVECOT = """\
mail_home = {home}
mail_location = maildir:{home}/mail
base_dir = {home}/run
state_dir = {home}/state
log_path = /dev/stderr
first_valid_uid = 0
mail_uid = {uid}
mail_gid = {gid}
"""


def html_validate(html: list[str]) -> list[list[str]]:
    rules = dict.fromkeys(NOT_FOR_MAIL, "off")
    told = programs.ask_node("validate.mjs", {"html": html, "rules": rules})
    return [[f"line {each['line']}: {each['ruleId']}: {each['message']}" for each in findings] for findings in told]


@dataclass(frozen=True)
class Support:
    """What mail programs do not know, and know in part: (program, feature)."""

    unsupported: frozenset[tuple[str, str]]
    partly: frozenset[tuple[str, str]]


def caniemail(html: list[str]) -> list[Support]:
    told = programs.ask_node("support.mjs", {"html": html, "clients": MAIL_PROGRAMS})
    return [Support(frozenset(map(tuple, each["unsupported"])), frozenset(map(tuple, each["partly"]))) for each in told]


def mailparser(folder: Path, messages: list[bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = programs.ask_node("parse.mjs", _files(folder, messages))
    return found


def mailauth(folder: Path, zone: Zone, messages: list[bytes], sender: str) -> list[dict[str, Any]]:
    """As a receiver sees mail that comes from 192.0.2.25, asking a name server of ours alone."""
    with serving(zone) as port:
        question = {"port": port, "paths": _files(folder, messages), "ip": "192.0.2.25", "sender": sender}
        found: list[dict[str, Any]] = programs.ask_node("authenticate.mjs", {**question, "helo": "mail.example.org"})
    return found


def reformime(message: bytes) -> list[tuple[str, str, str]]:
    """Content type, encoding and character set of each section, in order."""
    told = programs.run(["reformime", "-i"], stdin=message).decode()
    columns = (
        re.findall(rf"(?m)^{name}: (\S+)", told) for name in ("content-type", "content-transfer-encoding", "charset")
    )
    return list(zip(*columns, strict=True))


def section(message: bytes, number: str) -> str:
    """The words of one section, as reformime decodes them."""
    return programs.run(["reformime", "-s", number, "-e"], stdin=message).decode()


def is_duplicate(message: bytes, known: Path) -> bool:
    """Whether reformail has seen its Message-ID before; it will have from now on."""
    done = subprocess.run(["reformail", "-D", "100000", known], input=message, check=False)
    assert done.returncode in (0, 1)
    return done.returncode == 0


def spamassassin(folder: Path, messages: dict[str, bytes]) -> dict[str, tuple[float, set[str]]]:
    """Points and the rules that hit, per message, by itself: no network, no lists, no learning."""
    (folder / "preferences").mkdir(parents=True)
    said = {}
    for name, content in messages.items():
        told = programs.run(
            ["spamassassin", "--local", "--test-mode", "--nocreate-prefs", f"--prefspath={folder}/preferences/none"],
            stdin=content,
        ).decode(errors="replace")
        status = re.search(r"X-Spam-Status: \w+, score=(-?[\d.]+).*?tests=(.*?)\s+autolearn", told, re.DOTALL)
        assert status, told[:1500]
        rules = set(re.sub(r"\s", "", status[2]).split(",")) - {"none"}
        said[name] = float(status[1]), rules
    return said


def answers_while_away(message: bytes, reader: str) -> bool:
    """Whether the vacation script of this reader would answer, by Dovecot's own interpreter."""
    owner = getpwnam("nobody") if os.geteuid() == 0 else getpwuid(os.geteuid())  # it refuses to work for root
    with TemporaryDirectory(prefix="sieve-", dir="/tmp") as home:  # of its own: an answer is given once
        folder = Path(home)
        (folder / "away.sieve").write_text(_VACATION)
        (folder / "dovecot.conf").write_text(_DOVECOT.format(home=home, uid=owner.pw_uid, gid=owner.pw_gid))
        (folder / "letter.eml").write_bytes(message)
        shutil.chown(folder, owner.pw_uid)
        done = subprocess.run(
            [
                *("sieve-test", "-e", "-c", folder / "dovecot.conf"),
                *("-f", "mara@letters.example.org", "-r", reader, "-a", reader, folder / "away.sieve"),
                folder / "letter.eml",
            ],
            env={"PATH": "/usr/bin:/bin", "HOME": home},
            user=owner.pw_uid if os.geteuid() == 0 else None,
            group=owner.pw_gid if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    said = done.stdout + done.stderr
    assert "final result: success" in said, said
    sent, discarded = ("sent vacation response" in said, "discarding vacation response" in said)
    assert sent != discarded, said
    return sent


@cache
def version(judge: str) -> str:
    """What is installed of it; for Debian's programs as their packages number it."""
    if judge in _ON_NPM:
        package = programs.node_modules() / judge / "package.json"
        return str(json.loads(package.read_text())["version"])
    package_name = _IN_DEBIAN[judge]
    told = programs.run(["dpkg-query", "--show", "--showformat=${Version}", package_name], accept=(0, 1)).decode()
    return re.sub(r"^\d+:|[-+~].*", "", told) or "not from Debian"


_ON_NPM = {"html-validate", "axe-core", "caniemail", "mailparser", "mailauth"}
_IN_DEBIAN = {
    "reformime": "maildrop",
    "reformail": "maildrop",
    "dkimpy": "python3-dkim",
    "Mail::DKIM": "libmail-dkim-perl",
    "SpamAssassin": "spamassassin",
    "Sieve vacation": "dovecot-sieve",
    "Sisimai": "libsisimai-perl",
    "curl": "curl",
}


def _files(folder: Path, messages: list[bytes]) -> list[str]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number}.eml" for number in range(len(messages))]
    for path, message in zip(paths, messages, strict=True):
        path.write_bytes(message)
    return [str(path) for path in paths]
