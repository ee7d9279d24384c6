"""Looking at a page: with axe-core, at its edges, and by a picture for people."""

from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Frame, Page

from tests.conformance import programs

PICTURES: Final = Path(__file__).parents[2] / "var" / "screenshots"
SIZES: Final = {"phone": (390, 844), "desktop": (1280, 900)}
SCHEMES: Final = ("light", "dark")
NARROWEST: Final = 320

_STICKS_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map((e) => `${e.tagName} ${e.className} ${Math.round(e.getBoundingClientRect().right)} px`)"""
_ASK = "(options) => axe.run(document, options)"


def findings(page: Page | Frame, **options: Any) -> list[str]:
    """Everything axe-core has to say against a page, of any level. Frames are pages of their own."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(programs.axe())  # past the content security policy, which forbids it to anybody else
    report = page.evaluate(_ASK, {"iframes": False, "resultTypes": ["violations", "passes"], **options})
    assert len(report["passes"]) > 5, "axe-core saw nothing"
    return [
        f"{found['impact']} {found['id']}: {node['html'][:160]} ({node['any'][0]['message'] if node['any'] else ''})"
        for found in report["violations"]
        for node in found["nodes"]
    ]


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands, at every width and in both schemes; leaves its pictures behind."""
    found = []
    PICTURES.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=True)
            found += [f"{name}, {size}, {scheme}: {finding}" for finding in findings(page)]
            found += [f"{name}, {size}: sticks out: {edge}" for edge in page.evaluate(_STICKS_OUT)]
    page.set_viewport_size({"width": NARROWEST, "height": 700})
    return found + [f"{name}, {NARROWEST} px: sticks out: {edge}" for edge in page.evaluate(_STICKS_OUT)]
