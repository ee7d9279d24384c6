"""Rules into style attributes, by premailer with the options that leave everything else alone."""

import logging
import re

import cssutils
from premailer import Premailer

cssutils.ser.prefs.minimizeColorHash = False  # Outlook wants its colours in six digits

_BASE = "/* to be inlined */"
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BASE_STYLE = re.compile(r"<style[^>]*>\s*/\* to be inlined \*/.*?</style>", re.DOTALL)
_IGNORED = ' data-premailer="ignore"'


def inline(html: str, rules: str) -> str:
    """The same page with `rules` in its style attributes; the style blocks of its head are left as they are."""
    inlined: str = Premailer(
        _ignoring_styles(html),
        css_text=_BASE + rules,
        keep_style_tags=True,
        strip_important=False,
        remove_classes=False,
        align_floating_images=False,
        disable_validation=True,
        allow_network=False,
        allow_loading_external_files=False,
        disable_link_rewrites=True,
        base_url=None,
        disable_basic_attributes=["align", "valign", "bgcolor", "width", "height"],
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    inlined = _BASE_STYLE.sub("", inlined).replace(_IGNORED, "")
    # Without the capitals premailer's parser forgets it, and the letter is shown in quirks mode.
    return "<!DOCTYPE html>" + re.sub(r"^\s*<!doctype html>", "", inlined, flags=re.IGNORECASE)


def _ignoring_styles(html: str) -> str:
    """Marks every style block outside Outlook's comments."""
    marked: list[str] = []
    at = 0
    for comment in _COMMENT.finditer(html):
        marked += [_marked(html[at : comment.start()]), comment[0]]
        at = comment.end()
    return "".join([*marked, _marked(html[at:])])


def _marked(html: str) -> str:
    return html.replace("<style", "<style" + _IGNORED)
