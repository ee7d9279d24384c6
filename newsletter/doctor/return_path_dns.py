"""The domain that bounces come back to: its MX leads to us, and its own SPF record admits the relay."""

from collections.abc import Iterator

from newsletter.doctor.findings import Finding, fail, ok, warn
from newsletter.doctor.sender_dns import Ask, CouldNotAsk


def check(domain: str, relay: str, ask: Ask) -> Iterator[Finding]:
    """RFC 7208 §2.4: SPF is asked of the domain of the return path, not of From."""
    about = f"Bounces {domain}"
    try:
        servers = [server.split()[-1].rstrip(".") for server in ask(domain, "MX")]
        records = [record for record in ask(domain, "TXT") if record.lower().split(" ")[0] == "v=spf1"]
    except CouldNotAsk as error:
        yield warn(about, f"could not ask about its records ({error}).", "Run this where name servers can be reached.")
        return
    if [server for server in servers if server]:
        yield ok(about, f"come to {', '.join(servers)}.")
    else:
        yield fail(about, "has no MX: nothing comes back.", f"Add: {domain}. IN MX 10 the name of your mail server.")
    if len(records) == 1:
        yield ok(f"SPF {domain}", records[0])
    elif records:
        yield fail(f"SPF {domain}", f"has {len(records)} records, so none counts.", "Leave one, with all they allow.")
    else:
        local = relay in {"localhost", "127.0.0.1", "::1"}
        record = "v=spf1 a mx ~all" if local else f"v=spf1 mx a:{relay} ~all"
        yield fail(
            f"SPF {domain}", "has no record, and it is this one that is asked.", f'Add: {domain}. IN TXT "{record}"'
        )
