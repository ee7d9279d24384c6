"""Rules into style attributes, by premailer with the options that leave everything else alone."""

import logging
import re

import cssutils
from premailer import Premailer

from emails.personalise import guards_restored

cssutils.ser.prefs.minimizeColorHash = False  # Outlook wants its colours in six digits

_BASE = "/* to be inlined */"
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BASE_STYLE = re.compile(r"<style[^>]*>\s*/\* to be inlined \*/.*?</style>", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_STYLE = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_EMPTY_MEDIA = re.compile(r"@media[^{}]*\{\s*\}")
_ATTRIBUTE = re.compile(r"\[[^\]]*\]")
_NAMES = re.compile(r"[\w-]+")
_CLASSES = re.compile(r'class="([^"]*)"')
_TAGS = re.compile(r"<([a-z][a-z0-9]*)")
_IGNORED = ' data-premailer="ignore"'


def inline(html: str, rules: str) -> str:
    """The same page with `rules` in its style attributes; the style blocks of its head are left as they are."""
    present = _present(html)
    inlined: str = Premailer(
        _ignoring_styles(_STYLE.sub(lambda style: _thinned(style[0], present), html)),
        css_text=_BASE + _thinned(rules, present),
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
    inlined = guards_restored(_BASE_STYLE.sub("", inlined).replace(_IGNORED, ""))
    # Without the capitals premailer's parser forgets it, and the letter is shown in quirks mode.
    return "<!DOCTYPE html>" + re.sub(r"^\s*<!doctype html>", "", inlined, flags=re.IGNORECASE)


def _present(html: str) -> frozenset[str]:
    """The elements and classes of a letter."""
    classes = {name for names in _CLASSES.findall(html) for name in names.split()}
    return frozenset(classes | set(_TAGS.findall(html)))


def _thinned(rules: str, present: frozenset[str]) -> str:
    """The rules of which something is in this letter: each one more would be parsed, looked for everywhere, and, in the
    head, sent to every reader."""

    def thinned(rule: re.Match[str]) -> str:
        used = [each for each in rule[1].split(",") if _is_used(each, present)]
        return f"{','.join(used)}{{{rule[2]}}}" if used else ""

    return _EMPTY_MEDIA.sub("", _RULE.sub(thinned, rules))


def _is_used(selector: str, present: frozenset[str]) -> bool:
    """What says more than names (an id, a state) is for programs that we do not know: it stays."""
    plain = _ATTRIBUTE.sub("", selector)
    return bool(re.search(r"[#:@<]", plain)) or present.issuperset(_NAMES.findall(plain))


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
