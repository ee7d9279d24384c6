"""The block between two --- lines that says what a post is: title, authors, date …

One `key: value` per line. A value is taken as it is typed, colons and quotes included; a list is `[Ada, Grace]` or
lines that begin with `- `. A post without the block is fine if its first line is a heading: that is its title.
"""

import datetime
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from difflib import get_close_matches

from emails.characters import one_line, tidy
from emails.errors import FrontMatterError

AUDIENCES = ("everyone", "subscribers", "paying")

_KEY = re.compile(r"([A-Za-z_][\w -]*?)\s*:(?:\s+(.*))?$")
_LISTS = ("authors", "tags", "tiers")


@dataclass(frozen=True, kw_only=True)
class FrontMatter:
    title: str
    subtitle: str = ""
    slug: str = ""
    authors: tuple[str, ...] = ()
    series: str = ""
    number: int | None = None
    newsletter: str = ""
    audience: str = "everyone"
    tiers: tuple[str, ...] = ()  # slugs: of paying readers, only who holds one of them
    tags: tuple[str, ...] = ()
    date: datetime.date | None = None
    preheader: str = ""
    subject: str = ""

    def __post_init__(self) -> None:
        """Every text is one line, so that what is written can be read back."""
        for name, value in vars(self).items():
            if isinstance(value, str):
                object.__setattr__(self, name, one_line(value))
            elif isinstance(value, tuple):
                object.__setattr__(self, name, tuple(line for part in value if (line := one_line(part))))


@dataclass(frozen=True)
class PostSource:
    front: FrontMatter
    body: str
    body_line: int = 1  # where the body begins: parse(body, body_line) names the lines of the whole file


KEYS = tuple(field.name for field in fields(FrontMatter))


def read_post(source: str) -> PostSource:
    """A file of front matter and Markdown. A mistake is a FrontMatterError with its line."""
    lines = tidy(source).split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines[start].strip() != "---":
        return _titled_by_heading(lines, start)
    end = next((n for n in range(start + 1, len(lines)) if lines[n].rstrip() == "---"), None)
    if end is None:
        raise FrontMatterError(start + 1, "The front matter is never closed: end it with a line of three dashes (---).")
    front = _front(lines, start + 1, end)
    return _source(front, lines, end + 1)


def write_post(front: FrontMatter, body: str) -> str:
    """The inverse of read_post: reading what it wrote gives the same values."""
    values = {name: getattr(front, name) for name in KEYS}
    default = FrontMatter(title="")
    written = [
        f"{name}: {_written(value)}"
        for name, value in values.items()
        if name == "title" or value != getattr(default, name)
    ]
    return "\n".join(["---", *written, "---", "", body_text(tidy(body).split("\n"))[0]])


def body_text(lines: list[str]) -> tuple[str, int]:
    """The body without the blank lines around it, and how many were in front."""
    first = next((number for number, line in enumerate(lines) if line.strip()), len(lines))
    text = tidy("\n".join(lines[first:])).rstrip()
    return (f"{text}\n" if text else ""), first


def _titled_by_heading(lines: list[str], start: int) -> PostSource:
    match = re.match(r"# +(.+?)(?: +#+)?\s*$", lines[start])
    if not match:
        raise FrontMatterError(start + 1, "A post begins with its front matter (---) or with its title (# Title).")
    return _source(FrontMatter(title=match[1]), lines, start + 1)


def _source(front: FrontMatter, lines: list[str], after: int) -> PostSource:
    body, blank = body_text(lines[after:])
    return PostSource(front, body, after + blank + 1)


def _front(lines: list[str], start: int, end: int) -> FrontMatter:
    values: dict[str, object] = {}
    for number, key, raw in _entries(lines, start, end):
        if key not in KEYS:
            raise FrontMatterError(number, f"There is no “{key}”.{_nearest(key)}")
        if key in values:
            raise FrontMatterError(number, f"“{key}” is here for the second time.")
        values[key] = _value(key, raw, number)
    if values.get("tiers") and values.setdefault("audience", "paying") != "paying":
        raise FrontMatterError(start, "Where “tiers” are named, the audience is “paying”, or is left out.")
    front = FrontMatter(**{"title": "", **values})  # type: ignore[arg-type]  # _value gives each key its type
    if not front.title:
        raise FrontMatterError(start, "The front matter needs a title.")
    return front


def _entries(lines: list[str], start: int, end: int) -> Iterator[tuple[int, str, str | list[str]]]:
    """Line number, key and raw value; the `- ` lines below a key are its list."""
    number = start
    while number < end:
        line = lines[number].rstrip()
        number += 1
        if not line.strip() or line.startswith("#"):
            continue
        match = _KEY.match(line)
        if not match:
            raise FrontMatterError(number, f"A line here looks like “title: …”; this one is “{line.strip()[:60]}”.")
        here, items = number, []
        while not match[2] and number < end and re.match(r"\s*- ", lines[number]):
            items.append(lines[number].strip()[2:])
            number += 1
        yield here, match[1].strip().lower(), items or match[2] or ""


def _value(key: str, raw: str | list[str], line: int) -> object:
    if key in _LISTS:
        return tuple(_unquoted(part, line) for part in (_listed(raw) if isinstance(raw, str) else raw))
    if isinstance(raw, list):
        raise FrontMatterError(line, f"“{key}” is one value, not a list.")
    text = _unquoted(raw, line)
    if key == "number":
        return _number(text, line)
    if key == "date":
        return _date(text, line)
    if key == "audience":
        return _audience(text, line)
    return text


def _unquoted(raw: str, line: int) -> str:
    """Quotes around a whole value are marks; any others belong to it."""
    raw = raw.strip()
    if raw in ("|", ">", "|-", ">-"):
        raise FrontMatterError(line, "A value stands on one line, after its colon.")
    if len(raw) > 1 and raw[0] == raw[-1] == "'":
        return raw[1:-1].replace("''", "'")
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        try:
            return str(json.loads(raw, strict=False))
        except ValueError:
            return raw
    return raw


def _listed(raw: str) -> list[str]:
    raw = raw.strip()
    if raw.startswith("[") and raw.endswith("]"):
        raw = raw[1:-1]
        return [part for part in re.findall(r'\s*("(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^,]+)', raw) if part.strip()]
    return [raw] if raw else []


def _number(text: str, line: int) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise FrontMatterError(line, f"The number in a series is a whole number; this one is “{text}”.")
    return int(text)


def _date(text: str, line: int) -> datetime.date | None:
    if not text:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise FrontMatterError(line, f"A date is written 2026-05-31; this one is “{text}”.") from None


def _audience(text: str, line: int) -> str:
    if text not in ("", *AUDIENCES):
        raise FrontMatterError(line, f"The audience is one of {' or '.join(AUDIENCES)}; this one is “{text}”.")
    return text or AUDIENCES[0]


def _nearest(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    return f" Did you mean “{near[0]}”?" if near else f" Known are: {', '.join(KEYS)}."


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(json.dumps(part, ensure_ascii=False) for part in value)}]"
    text = "" if value is None else str(value)
    if text[:1] in ('"', "'", "|", ">") or text == "":
        return json.dumps(text, ensure_ascii=False)
    return text
