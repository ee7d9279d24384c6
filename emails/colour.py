"""Colours that can be read: the author's accent, moved just far enough in each scheme."""

import colorsys
import re
from functools import lru_cache

PAPER, INK, MUTED, HAIRLINE, GROUND = "#fffdf9", "#1c1b1a", "#69655e", "#e2ddd2", "#f4f0e8"
DARK_PAPER, DARK_INK, DARK_MUTED, DARK_HAIRLINE, DARK_GROUND = "#171614", "#e8e4dc", "#a8a297", "#3a3733", "#24221f"
READABLE = 4.5  # WCAG 2.2, level AA

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@lru_cache(maxsize=64)
def accent_for(colour: str, background: str) -> str:
    """The colour itself if it can be read on this background, else the nearest shade of it that can."""
    if not _HEX.fullmatch(colour):
        colour = "#9a3412"
    if contrast(colour, background) >= READABLE:
        return colour.lower()
    hue, lightness, saturation = colorsys.rgb_to_hls(*_channels(colour))
    step = 0.005 if luminance(background) < 0.18 else -0.005
    shade = colour
    while contrast(shade, background) < READABLE and 0 <= lightness <= 1:
        lightness += step
        shade = _hex(colorsys.hls_to_rgb(hue, min(max(lightness, 0), 1), saturation))
    return shade


def contrast(one: str, other: str) -> float:
    """From 1 (the same) to 21 (black on white), as WCAG defines it."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in _channels(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(channels: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)
