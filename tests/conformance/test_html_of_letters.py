"""The HTML part of every letter, told by html-validate, by axe-core in a browser, and by caniemail."""

import pytest
from playwright.sync_api import Browser

from tests.conformance import asking, letters
from tests.conformance.exceptions import PARTLY_SUPPORTED, UNSUPPORTED
from tests.conformance.shown import objections
from tests.conformance.test_html import SCHEMES, SIZES
from tests.conformance.verdicts import Told

pytestmark = pytest.mark.judges


def broken(old: str, new: str) -> str:
    """The golden post, with one fault."""
    html = letters.every()[0].html
    assert old in html, old
    return html.replace(old, new, 1)


@pytest.mark.verdict("html-validate", "no fault")
def test_html_validate_finds_no_fault(told: Told) -> None:
    told.judged(letters.names())

    found = asking.html_validate([letter.html for letter in letters.every()])

    assert dict(zip(letters.names(), found, strict=True)) == {name: [] for name in letters.names()}


@pytest.mark.verdict("html-validate")
def test_html_validate_sees_a_picture_without_words_and_a_tag_that_is_not_closed() -> None:
    silent, open_ = asking.html_validate([broken(' alt="', ' data-alt="'), broken("</h1>", "")])

    assert any("wcag/h37" in finding for finding in silent), silent
    assert any("close-order" in finding for finding in open_), open_


@pytest.mark.slow
@pytest.mark.verdict("axe-core", "nothing to object to, of any level, light and dark, narrow and wide")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", SIZES)
def test_axe_finds_nothing_in_either_scheme(chromium: Browser, told: Told, width: int, scheme: str) -> None:
    told.judged(letters.names())

    found = [
        f"{letter.name}: {objection}"
        for letter in letters.every()
        for objection in objections(chromium, letter.html, width=width, scheme=scheme, online=False)
    ]

    assert not found, "\n".join(found)


@pytest.mark.verdict("axe-core")
def test_axe_sees_grey_on_black_in_the_dark_alone(chromium: Browser) -> None:
    dim = "<style>@media (prefers-color-scheme: dark) { .text p { color: #333 !important } }</style></head>"
    html = broken("</head>", dim)

    by_day, by_night = (
        objections(chromium, html, width=360, scheme=scheme, online=False) for scheme in ("light", "dark")
    )

    assert by_day == []
    assert any(finding.startswith("serious color-contrast") for finding in by_night), by_night


@pytest.mark.verdict("caniemail", "asks no more of mail programs than the frame around an empty post does")
def test_no_letter_needs_what_the_frame_does_not(told: Told) -> None:
    told.judged(letters.names())
    frame, *found = asking.caniemail([letters.frame().html, *(letter.html for letter in letters.every())])
    told.figures = f"the frame: {len({feature for _, feature in frame.unsupported})} features somewhere unknown"

    unsupported = {feature for support in found for _, feature in support.unsupported - frame.unsupported}
    in_part = {feature for support in found for _, feature in support.partly - frame.partly}
    assert unsupported == set(UNSUPPORTED), "what is new has no reason, and what is gone needs none"
    assert in_part == set(PARTLY_SUPPORTED)


@pytest.mark.verdict("caniemail")
@pytest.mark.parametrize(
    ("fault", "feature"),
    [
        ('<div style="position:fixed">.</div>', "position"),
        ('<div style="display:grid">.</div>', "display:grid"),
        ("<form></form>", "<form> element"),
        ("<video></video>", "<video> element"),
    ],
)
def test_caniemail_sees_what_no_mail_program_takes(fault: str, feature: str) -> None:
    frame, found = asking.caniemail([letters.frame().html, broken("</h1>", f"</h1>{fault}")])

    assert feature in {name for _, name in found.unsupported - frame.unsupported}
