"""The whole examination, in the order in which one thing needs the other."""

from collections.abc import Iterator

from newsletter import signing
from newsletter.config import Settings
from newsletter.doctor import (
    database,
    house,
    machine,
    mail_server,
    processes,
    redis_server,
    return_path_dns,
    sender_dns,
    work_due,
)
from newsletter.doctor.findings import Finding
from newsletter.publication.models import Newsletter


def examine(settings: Settings, dns: sender_dns.Ask = sender_dns.ask) -> Iterator[Finding]:
    """Every finding as it comes. What cannot be looked at without the database is left out when that is down."""
    yield from (of_database := list(database.check()))
    yield from redis_server.check(settings.redis_url)
    yield from mail_server.check(settings)
    yield from house.check_settings(settings)
    yield from machine.check(settings)
    yield from house.check_keys(settings)
    if any(finding.level == "fail" for finding in of_database):
        return
    yield machine.check_clock()
    yield from processes.check()
    yield from work_due.stuck_pools()
    yield from work_due.check()
    yield from house.check_publication()
    relay = mail_server.host_of(settings)
    keys = signing.load(settings)
    for domain, answers_to in _domains(Newsletter.open()).items():
        yield from sender_dns.check(domain, answers_to, relay, dns, keys)
    if settings.bounce_domain:
        yield from return_path_dns.check(settings.bounce_domain, relay, dns)


def _domains(newsletters: list[Newsletter]) -> dict[str, set[str]]:
    """Each sender's domain, and the domains that replies to it go to."""
    found: dict[str, set[str]] = {}
    for newsletter in newsletters:
        answers_to = (newsletter.reply_to or newsletter.sender_email).rpartition("@")[2]
        found.setdefault(newsletter.sender_domain, set()).add(answers_to)
    return found
