"""Where links lead, and what they say about it."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from emails.lint.proof import Finding, Proof, Reference
from emails.targets import host_of

SHORTENERS = frozenset(
    "amzn.to bit.ly bitly.com bl.ink buff.ly cutt.ly dlvr.it fb.me goo.gl ht.ly is.gd j.mp lnkd.in ow.ly rb.gy "
    "rebrand.ly shorturl.at shrtco.de snip.ly t.co t.ly tiny.cc tinyurl.com trib.al v.gd x.co".split()
)
_VAGUE = frozenset(["here", "clickhere", "thislink", "link", "more", "readmore", "learnmore", "seehere", "thispage"])
_UNSEEN = (".localhost", ".local", ".internal", ".test", ".invalid", ".example", ".lan", ".home")
_RELATIVE = re.compile(
    r"(!?)\[((?:[^\[\]\\]|\\.){0,200})\]\(\s*<?((?:[^\s()<>]|\([^\s()<>]{0,100}\)){1,300})>?(?:\s+[\"'][^\"'\n]*[\"'])?\s*\)"
)
_WHOLE = re.compile(r"(https?://|mailto:)\S", re.IGNORECASE)
# What is shown counts as an address only if nothing else can be meant by it: “Node.js” is no place.
_SHOWN = re.compile(
    r"(?:https?://(?P<whole>[^/\s?#]+)|(?P<bare>(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|info|io|co|uk|de|fr|eu|app|dev)))"
    r"(?:[/?#]\S*)?",
)
_NO_PLACES = frozenset({"asp.net", "vb.net", "ado.net", "socket.io"})


def relative(proof: Proof) -> Iterator[Finding]:
    """Markdown takes these for text, so the brackets would be seen: they are found in the source."""
    for number, line in proof.code_free:
        for picture, words, url in _RELATIVE.findall(line):
            if _WHOLE.match(url) or line.lstrip().startswith(":::"):
                continue
            if url.startswith("#"):
                how = "links into the post itself do not work in mail programs. Link to the page, or to nothing."
            else:
                how = f"“{url}” is no whole address. Write it with https://, as a browser shows it."
            what = "picture" if picture else "link"
            yield Finding(
                "error",
                "relative_link",
                f"This {what} would be shown with its brackets: {how}",
                number,
                f"{words} {url}",
            )


def unreachable(proof: Proof) -> Iterator[Finding]:
    own = host_of(proof.site_url)
    for each in [*proof.links, *(shown for shown, _ in proof.pictures)]:
        if each.host == own or not each.url.lower().startswith("http"):
            continue
        if not each.host or each.host == "localhost" or each.host.endswith(_UNSEEN) or _is_private(each.host):
            yield _about(each, "error", "not_public", f"“{_brief(each.url)}” can be opened by nobody but you.")
        elif _is_number(each.host):
            yield _about(
                each, "warning", "bare_number", f"“{_brief(each.url)}” has a number for a name: filters distrust that."
            )


def shortened(proof: Proof) -> Iterator[Finding]:
    for each in proof.links:
        if each.host in SHORTENERS:
            yield _about(
                each,
                "warning",
                "shortened_link",
                f"“{_brief(each.url)}” hides where it leads, as spam does, and many filters refuse it. Link to the "
                "page itself.",
            )


def disguised(proof: Proof) -> Iterator[Finding]:
    for each in proof.links:
        match = _SHOWN.fullmatch(each.words)
        shown = (match["whole"] or match["bare"] or "").lower().removeprefix("www.").partition(":")[0] if match else ""
        if not shown or shown in _NO_PLACES or not each.host or _are_kin(shown, each.host):
            continue
        yield _about(
            each,
            "warning",
            "disguised_link",
            f"This link shows {shown} and leads to {each.host}: filters take that for fraud. Let both say the same, or "
            "write words instead.",
        )


def unnamed(proof: Proof) -> Iterator[Finding]:
    for each in proof.links:
        if not each.words:
            yield _about(each, "error", "empty_link", f"This link to {each.host or each.url} has no words to press on.")
        elif re.sub(r"[\W_]+", "", each.words.lower()) in _VAGUE:
            yield _about(
                each,
                "warning",
                "vague_link",
                f"“{each.words}” does not say where it leads. Who listens to a list of links hears only that: link the "
                "words that name the thing.",
            )


def _about(each: Reference, level: str, code: str, sentence: str) -> Finding:
    return Finding("error" if level == "error" else "warning", code, sentence, each.line, each.url)


def _are_kin(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_private(host: str) -> bool:
    return ("." not in host and ":" not in host) or (_is_number(host) and not ip_address(host).is_global)


def _brief(url: str) -> str:
    return url if len(url) <= 60 else f"{url[:59]}…"


RULES = (relative, unreachable, shortened, disguised, unnamed)
