"""Pages that show the local inbox. They need no sign-in, so they answer only on the machine itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, make_response, render_template, request
from lxml import html
from lxml.etree import ParserError

from newsletter.up import letterbox
from newsletter.up.letterbox import Letter

bp = Blueprint("inbox", __name__, url_prefix="/inbox")

PER_PAGE = 50
_TABS = {"html": "HTML", "text": "Text", "links": "Links", "headers": "Headers", "source": "Source"}
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
_POLICY = (
    f"sandbox {_SANDBOX}; default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src *; "
    "form-action 'none'; frame-ancestors 'self'"
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_HEADER_LINK = re.compile(r"<([a-z]+:[^>\s]+)>", re.IGNORECASE)


@dataclass(frozen=True)
class Link:
    words: str
    address: str
    place: str


@bp.before_request
def only_on_this_machine() -> None:
    """Mail holds keys to every account. The name is checked too: a page elsewhere may point its own name at us."""
    host = urlsplit(f"//{request.host}").hostname or ""
    names = {"localhost", "127.0.0.1", "::1", current_app.config["NEWSLETTER"].site_host}
    if host not in names or not _is_loopback(request.remote_addr or ""):
        abort(404)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


@bp.get("/")
def index() -> str:
    words = request.args.get("q", "").strip()
    found = letterbox.letters(_folder(), words)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    return render_template(
        "inbox/index.html",
        lines=[(letter, letter.headers()) for letter in shown],
        total=len(found),
        words=words,
        page=page,
        pages=pages,
        first=(page - 1) * PER_PAGE + 1,
        folder=_folder(),
    )


@bp.get("/<name>")
def message(name: str) -> str:
    letter = letterbox.letter(_folder(), name)
    content = letter.message()
    parts = {"html": _part(content, "html"), "text": _part(content, "plain")}
    tabs = {key: label for key, label in _TABS.items() if parts.get(key, "there")}
    tab = request.args.get("show", "")
    newer, older = _neighbours(letter)
    return render_template(
        "inbox/message.html",
        letter=letter,
        message=content,
        envelope=letter.envelope(),
        tabs=tabs,
        tab=tab if tab in tabs else next(iter(tabs)),
        text=parts["text"],
        html_size=len(parts["html"].encode()),
        links=list(_links(content, parts["html"])),
        raw_headers=_raw_headers(letter),
        source=letter.source().decode("utf-8", errors="backslashreplace"),
        sandbox=_SANDBOX,
        newer=newer,
        older=older,
    )


@bp.get("/<name>/body")
def body(name: str) -> Response:
    """The HTML part for a frame: no scripts, no forms; links open in a tab of their own."""
    written = _part(letterbox.letter(_folder(), name).message(), "html")
    base = '<base target="_blank">'
    head = _HEAD.search(written)
    shown = written[: head.end()] + base + written[head.end() :] if head else base + written
    response = make_response(shown)
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@bp.get("/<name>/raw")
def raw(name: str) -> Response:
    """The message exactly as it came."""
    letter = letterbox.letter(_folder(), name)
    response = Response(letter.source(), mimetype="message/rfc822")
    response.headers.set("Content-Disposition", "attachment", filename=letter.name)
    return response


def _folder() -> Path:
    folder: Path = current_app.config["NEWSLETTER"].inbox_dir
    return folder.absolute()


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except LookupError:  # a character set that nobody knows
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else str(payload)


def _links(message: EmailMessage, written: str) -> Iterator[Link]:
    """Every address in the message that can be followed, in reading order."""
    for name in ("List-Unsubscribe", "List-Archive", "List-Post"):
        for address in _HEADER_LINK.findall(str(message.get(name, ""))):
            yield Link(name, address, "header")
    try:
        document = html.document_fromstring(written.encode(errors="replace"), parser=html.HTMLParser(encoding="utf-8"))
    except ParserError:
        return  # nothing in it
    for anchor in document.iterfind(".//a[@href]"):
        words = " ".join(str(anchor.xpath("string()")).split()) or str(anchor.xpath("string(.//img/@alt)"))
        yield Link(words or "(no words)", str(anchor.get("href")), "body")


def _raw_headers(letter: Letter) -> list[tuple[str, str]]:
    """As they stand in the message, unfolded but not decoded."""
    return [(name, value) for name, value in letter.headers().raw_items()]


def _neighbours(letter: Letter) -> tuple[Letter | None, Letter | None]:
    everything = letterbox.letters(_folder())
    place = next((place for place, other in enumerate(everything) if other.name == letter.name), 0)
    newer = everything[place - 1] if place else None
    return newer, everything[place + 1] if place + 1 < len(everything) else None
