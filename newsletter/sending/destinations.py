"""Who receives the mail of a domain: the groups of mail servers that count and judge us as one."""

from collections.abc import Iterable
from typing import Final

# The domains people know. Whoever has a domain of their own there is found by its MX.
_DOMAINS: Final = {
    "google": "gmail.com googlemail.com google.com",
    "microsoft": "hotmail.com outlook.com live.com msn.com passport.com windowslive.com hotmail.co.uk hotmail.fr "
    "hotmail.de hotmail.it hotmail.es hotmail.com.br hotmail.com.ar hotmail.be hotmail.nl hotmail.co.jp outlook.fr "
    "outlook.de outlook.es outlook.it outlook.jp outlook.be outlook.com.br outlook.com.au outlook.at outlook.dk "
    "outlook.ie outlook.pt live.co.uk live.fr live.de live.nl live.it live.be live.ca live.com.au live.com.mx live.se "
    "live.dk live.no live.jp live.cn",
    "yahoo": "yahoo.com ymail.com rocketmail.com yahoo.co.uk yahoo.fr yahoo.de yahoo.it yahoo.es yahoo.ca yahoo.ie "
    "yahoo.in yahoo.co.in yahoo.co.id yahoo.com.br yahoo.com.ar yahoo.com.mx yahoo.com.au yahoo.com.sg yahoo.com.ph "
    "yahoo.com.vn yahoo.com.hk yahoo.com.tw yahoo.com.tr yahoo.gr yahoo.pl yahoo.ro yahoo.se yahoo.no yahoo.dk "
    "myyahoo.com aol.com aol.co.uk aol.de aol.fr aim.com verizon.net",
    "apple": "icloud.com me.com mac.com privaterelay.appleid.com",
}
_MAIL_SERVERS: Final = {
    "google": "google.com googlemail.com smtp.goog",
    "microsoft": "protection.outlook.com mx.microsoft hotmail.com",
    "yahoo": "yahoodns.net",
    "apple": "icloud.com apple.com",
}


def _by_name(groups: dict[str, str]) -> dict[str, str]:
    return {name: group for group, names in groups.items() for name in names.split()}


_GROUP_OF_DOMAIN: Final = _by_name(_DOMAINS)
_GROUP_OF_SERVER: Final = _by_name(_MAIL_SERVERS)

LABELS: Final = {
    "google": "Google",
    "microsoft": "Microsoft",
    "yahoo": "Yahoo and AOL",
    "apple": "Apple",
}


def known(domain: str) -> str | None:
    """The group of a domain that everybody knows. None for any other: only its MX tells."""
    return _GROUP_OF_DOMAIN.get(domain)


def of_mail_servers(hosts: Iterable[str], limited: Iterable[str]) -> str | None:
    """The group, or the limited domain, that the first of these hosts (MX, best first) belongs to, if any."""
    wanted = {name: name for name in limited}
    for host in hosts:
        labels = host.lower().rstrip(".").split(".")
        for start in range(len(labels)):
            name = ".".join(labels[start:])
            if found := _GROUP_OF_SERVER.get(name) or wanted.get(name):
                return found
    return None
