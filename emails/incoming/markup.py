"""HTML of strangers as plain text: only to be read, with what is quoted marked by “>”."""

import re
from html import unescape

LONGEST = 200_000  # characters

_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})\b[^<>]*>|<[!?/][^<>]*>|([^<]+)|<")
_UNREAD = {"head", "script", "style", "title", "template", "svg"}
_BREAKS = {"p", "div", "br", "tr", "li", "hr", "table", "ul", "ol", "pre", "h1", "h2", "h3", "h4", "h5", "h6"}
_DEEPEST_QUOTE = 20


def text_of(html: str) -> str:
    """In one pass, whatever is wrong with the tags."""
    lines: list[str] = []
    line: list[str] = []
    quotes, unread = 0, ""

    def end_line() -> None:
        words = " ".join("".join(line).split())
        lines.append(f"{'>' * quotes} {words}".strip() if quotes else words)
        line.clear()

    for token in _TOKEN.finditer(_without_comments(html[:LONGEST])):
        closing, tag, words = token[1], (token[2] or "").lower(), token[3]
        if unread:
            unread = "" if closing and tag == unread else unread
        elif tag in _UNREAD and not closing:
            unread = tag
        elif tag == "blockquote":
            end_line()
            quotes = max(0, min(_DEEPEST_QUOTE, quotes + (-1 if closing else 1)))
        elif tag in _BREAKS:
            if line or tag == "br":
                end_line()
            if tag in {"p", "hr"} and closing:
                lines.append("")
        elif words:
            line.append(unescape(words))
    end_line()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _without_comments(html: str) -> str:
    first, *others = html.split("<!--")
    return first + "".join(other.partition("-->")[2] for other in others)
