"""Moving pictures and sound: a player on the page, a picture or a line with a link in the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from emails.directives import Said, Shape
from emails.document import Block, Element
from emails.pieces import Piece
from emails.values import Rendering

if TYPE_CHECKING:
    from emails.mail import MailBody
    from emails.text import TextPart
    from emails.web import WebPage

_FILES = {
    "video": (".mp4", ".webm", ".m4v", ".mov"),
    "audio": (".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".flac"),
}
_YOUTUBE = re.compile(r"[\w-]{6,20}\Z")
_VIMEO = re.compile(r"/(\d{4,12})\Z")


@dataclass(frozen=True)
class _Player(Element):
    shape: ClassVar = Shape.FIELDS
    verb: ClassVar[str]

    url: str
    title: str
    length: str = ""  # as it is to be shown: 12:30
    picture: str = ""
    captions: str = ""
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, said: Said) -> Self:
        said.needed("url", "title")
        said.web_addresses("url", *(key for key in ("picture", "captions") if key in cls.keys))
        return cls(
            said.fields["url"],
            said.fields["title"],
            said.get("length"),
            said.get("picture"),
            said.get("captions"),
            said.line,
        )

    @property
    def is_file(self) -> bool:
        return urlsplit(self.url).path.lower().endswith(_FILES[self.name])

    @property
    def label(self) -> str:
        return f"{self.title} ({self.length})" if self.length else self.title

    @property
    def invites(self) -> str:
        return f"{self.verb}: {self.label}"

    def _link(self, mail: MailBody) -> str:
        sign = '<span aria-hidden="true">▶&#160;</span>'
        return f'<a href="{mail.text(self.url)}">{sign}{mail.text(self.invites)}</a>'

    def text(self, text: TextPart, width: int) -> list[str]:
        return [*text.wrapped(self.invites, width), text.address(self.url)]

    def pieces(self, rendering: Rendering, within: Callable[[Iterable[Block]], Iterator[Piece]]) -> Iterator[Piece]:
        if rendering is not Rendering.TEXT:
            yield Piece.of("link", self.invites, self.url)
        else:
            yield Piece.of("words", self.invites)
            yield Piece.of("link", "", self.url)


class Video(_Player):
    name: ClassVar = "video"
    keys: ClassVar = ("url", "title", "length", "picture", "captions")
    verb: ClassVar = "Watch"

    def page(self, page: WebPage) -> str:
        link = f'<a href="{page.text(self.url)}">{page.text(self.invites)}</a>'
        return f'<figure class="player">{self._player(page)}<figcaption>{link}</figcaption></figure>'

    def _player(self, page: WebPage) -> str:
        if self.is_file:
            poster = f' poster="{page.text(self.picture)}"' if self.picture else ""
            track = f'<track kind="captions" src="{page.text(self.captions)}" default />' if self.captions else ""
            return (
                f'<video controls preload="none"{poster} src="{page.text(self.url)}"'
                f' aria-label="{page.text(self.title)}">{track}</video>'
            )
        still = page.picture(self.picture, self.title, 736, 414) if self.picture else ""
        frame = frame_address(self.url)
        if not frame:
            return f'<a class="still" href="{page.text(self.url)}">{still}</a>' if still else ""
        # The other site learns of the reader when they open this, and not before.
        host = urlsplit(self.url).netloc.removeprefix("www.")
        return (
            f'{still}<details class="frame"><summary>Play here (asks {page.text(host)})</summary>'
            f'<iframe src="{page.text(frame)}" title="{page.text(self.title)}" loading="lazy" allow="fullscreen"'
            ' referrerpolicy="strict-origin-when-cross-origin" width="736" height="414"></iframe></details>'
        )

    def mail(self, mail: MailBody) -> str:
        still = ""
        if self.picture:
            image = mail.picture(self.picture, f"{self.verb}: {self.title}", mail.measure, round(mail.measure * 9 / 16))
            still = f'<a href="{mail.text(self.url)}">{image}</a>'
        words = f'<p class="player-link">{self._link(mail)}</p>'
        return f'<div class="image">{still}</div>{words}' if still else words


class Audio(_Player):
    name: ClassVar = "audio"
    keys: ClassVar = ("url", "title", "length", "picture")
    verb: ClassVar = "Listen"

    def page(self, page: WebPage) -> str:
        link = f'<a href="{page.text(self.url)}">{page.text(self.invites)}</a>'
        player = (
            f'<audio controls preload="none" src="{page.text(self.url)}" aria-label="{page.text(self.title)}"></audio>'
            if self.is_file
            else ""
        )
        return f'<figure class="player">{player}<figcaption>{link}</figcaption></figure>'

    def mail(self, mail: MailBody) -> str:
        return mail.boxed("player", f'<p class="player-title">{self._link(mail)}</p>')


FRAME_HOSTS = ("https://www.youtube-nocookie.com", "https://player.vimeo.com")


def frame_address(url: str) -> str:
    """Where the two large houses let a video be played in a page of ours, without their cookies. Else empty."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    if host in ("youtube.com", "youtu.be"):
        name = parts.path.strip("/") if host == "youtu.be" else parse_qs(parts.query).get("v", [""])[0]
        name = parts.path.removeprefix("/shorts/") if parts.path.startswith("/shorts/") else name
        return f"{FRAME_HOSTS[0]}/embed/{name}" if _YOUTUBE.match(name) else ""
    if host == "vimeo.com" and (number := _VIMEO.search(parts.path)):
        return f"{FRAME_HOSTS[1]}/video/{number[1]}?dnt=1"
    return ""
