"""What the name servers say about a sender's domain, and the exact record to add where one is missing."""

from collections.abc import Callable, Iterator, Sequence

import dns.resolver
from dns.exception import DNSException, Timeout

import emails
from newsletter.doctor.findings import Finding, fail, ok, warn

Ask = Callable[[str, str], list[str]]

_PATIENCE = 5.0  # seconds
_RESERVED = ("example.com", "example.net", "example.org", ".example", ".test", ".invalid", ".localhost", "localhost")

# What an SPF record includes for the services that people send by, told by the host of MAIL_URL.
_SERVICES = {
    "amazonaws.com": "amazonses.com",
    "brevo.com": "spf.brevo.com",
    "gmail.com": "_spf.google.com",
    "mailgun.org": "mailgun.org",
    "mailjet.com": "spf.mailjet.com",
    "messagingengine.com": "spf.messagingengine.com",
    "mtasv.net": "spf.mtasv.net",
    "postmarkapp.com": "spf.mtasv.net",
    "office365.com": "spf.protection.outlook.com",
    "sendgrid.net": "sendgrid.net",
    "zoho.com": "zoho.com",
}


class CouldNotAsk(Exception):
    """No name server answered: nothing is known, neither good nor bad."""


def ask(name: str, kind: str) -> list[str]:
    """The records of this kind as text; none where there are none. Raises CouldNotAsk."""
    try:
        resolver = dns.resolver.Resolver()
        resolver.lifetime = _PATIENCE
        answer = resolver.resolve(name, kind)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (DNSException, Timeout, OSError) as error:
        raise CouldNotAsk(type(error).__name__) from None
    if kind == "TXT":
        return [b"".join(record.strings).decode(errors="replace") for record in answer]
    return [record.to_text() for record in answer]


def check(
    domain: str, answers_to: set[str], relay: str, ask: Ask = ask, keys: Sequence[emails.Key] = ()
) -> Iterator[Finding]:
    if domain.endswith(_RESERVED):
        yield warn(domain, "is a name for examples: no mail from it arrives anywhere.", "Set a sender of your own.")
        return
    try:
        yield _spf(domain, relay, ask)
        yield from (_published(domain, key, ask) for key in keys)
        if not keys:
            yield _dkim(domain)
        yield _dmarc(domain, ask)
        for other in sorted(answers_to):
            yield _replies(other, ask)
    except CouldNotAsk as error:
        yield warn(domain, f"could not ask about its records ({error}).", "Run this where name servers can be reached.")


def _spf(domain: str, relay: str, ask: Ask) -> Finding:
    """RFC 7208: one TXT record that says which servers may send for the domain."""
    about = f"SPF {domain}"
    found = [record for record in ask(domain, "TXT") if record.lower().split(" ")[0] == "v=spf1"]
    allowed = _allowed(relay)
    if not found:
        return fail(
            about, "has no record: big mailboxes refuse or hide mail from it.", _txt(domain, f"v=spf1 {allowed} ~all")
        )
    if len(found) > 1:
        return fail(about, f"has {len(found)} records, so none counts.", "Leave one, with all that they allow.")
    record = found[0]
    if any(word in {"+all", "all"} for word in record.lower().split()):
        return fail(about, "lets everybody send as you.", _txt(domain, record.replace("+all", "~all")))
    if allowed.startswith("include:") and allowed not in record.lower():
        wanted = " ".join(["v=spf1", allowed, *record.split()[1:]])
        return warn(
            about, f"does not name {relay}, which you send by.", _txt(domain, wanted).replace("Add", "Change it to", 1)
        )
    return ok(about, record)


def _allowed(relay: str) -> str:
    for service, included in _SERVICES.items():
        if relay == service or relay.endswith(f".{service}"):
            return f"include:{included}"
    return "a mx" if relay in {"localhost", "127.0.0.1", "::1"} else f"mx a:{relay}"


def _dkim(domain: str) -> Finding:
    advice = f"Send yourself a test: its headers must say dkim=pass with header.d={domain}. If not, switch it on there."
    return warn(f"DKIM {domain}", "is signed by your mail server and cannot be seen from here.", advice)


def _published(domain: str, key: emails.Key, ask: Ask) -> Finding:
    """RFC 6376 §3.6.1: the record of the selector holds the public half of the key that signs."""
    name = f"{key.selector}._domainkey.{domain}"
    about = f"DKIM {name}"
    found = [_tags(record) for record in ask(name, "TXT") if "p=" in record]
    if not found:
        return fail(about, "has no record: what we sign cannot be checked.", _txt(name, key.record))
    if len(found) > 1:
        return fail(about, f"has {len(found)} records, so none counts.", "Leave the one that fits the key.")
    tags = found[0]
    if not tags.get("p"):
        return fail(about, "is withdrawn: its p= is empty.", _txt(name, key.record).replace("Add", "Change it to", 1))
    kind = key.algorithm.partition("-")[0]
    if tags["p"] != key.public or tags.get("k", "rsa") != kind:
        return fail(about, "does not fit the key that signs.", _txt(name, key.record).replace("Add", "Change it to", 1))
    if "sha256" not in tags.get("h", "sha256") or not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return fail(about, "is not for mail like ours.", _txt(name, key.record).replace("Add", "Change it to", 1))
    if "y" in tags.get("t", "").split(":"):
        return warn(about, "says t=y: receivers treat it as a trial.", "Take t=y out once mail arrives.")
    return ok(about, "fits the key that signs.")


def _tags(record: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in record.split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def _dmarc(domain: str, ask: Ask) -> Finding:
    """RFC 7489: the policy may stand at a parent of the domain."""
    labels = domain.split(".")
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        found = [record for record in ask(f"_dmarc.{name}", "TXT") if record.lower().startswith("v=dmarc1")]
        if len(found) == 1:
            return ok(f"DMARC {domain}", found[0])
        if found:
            return fail(f"DMARC {domain}", f"has {len(found)} records at _dmarc.{name}, so none counts.", "Leave one.")
    record = f"v=DMARC1; p=none; rua=mailto:postmaster@{domain}"
    return fail(f"DMARC {domain}", "has no policy: big mailboxes want one.", _txt(f"_dmarc.{domain}", record))


def _replies(domain: str, ask: Ask) -> Finding:
    servers = ask(domain, "MX")
    if any(server.split()[-1] == "." for server in servers):  # RFC 7505
        return fail(f"Replies {domain}", "says that it takes no mail.", "Give a reply address that somebody reads.")
    if servers or ask(domain, "A") or ask(domain, "AAAA"):
        return ok(f"Replies {domain}", ", ".join(server.split()[-1].rstrip(".") for server in servers) or "arrive.")
    return fail(
        f"Replies {domain}", "cannot arrive: no server takes mail for it.", f"Add: {domain}. MX 10 <your mail server>."
    )


def _txt(name: str, value: str) -> str:
    return f'Add: {name}. TXT "{value}"'
