"""The files of a picture that a page may choose from: the first kind that a browser knows, as wide as it needs."""

from html import escape
from itertools import groupby

from emails.document import Image, Source

MEASURE = 620  # pixels: how wide text and pictures become on a page
_BEST_FIRST = ("image/avif", "image/webp")
_STILL = "(prefers-reduced-motion: reduce)"


def choice(image: Image, img: str) -> str:
    """`img` with its alternatives around it. A picture that comes from elsewhere has none, and stays as it is."""
    modern = [source for source in image.sources if source.content_type in _BEST_FIRST and not source.is_still]
    still = [source for source in image.sources if source.is_still]
    if not modern and not still:
        return img
    kinds = groupby(sorted(modern, key=_rank), lambda source: source.content_type)
    offers = [_offer(still, image, f' media="{_STILL}"')] if still else []
    offers += [_offer(list(sources), image, f' type="{kind}"') for kind, sources in kinds]
    return f"<picture>{''.join(offers)}{img}</picture>"


def _rank(source: Source) -> tuple[int, int]:
    return _BEST_FIRST.index(source.content_type), source.width


def _offer(sources: list[Source], image: Image, condition: str) -> str:
    if len(sources) == 1:
        return f'<source{condition} srcset="{escape(sources[0].url)}" />'
    widths = ", ".join(f"{escape(source.url)} {source.width}w" for source in sources)
    shown = min(image.width or MEASURE, MEASURE)
    return f'<source{condition} srcset="{widths}" sizes="(max-width: {shown}px) 100vw, {shown}px" />'
