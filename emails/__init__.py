"""A post into responsive mail: values in, values out. No database, no clock, no network, no settings."""

from emails.addresses import mailable
from emails.colour import accent_for, contrast
from emails.compile import compile_post
from emails.dkim import BadKey, Key, SignedLetter
from emails.document import Document
from emails.elements import Card
from emails.errors import (
    DocumentError,
    FrontMatterError,
    LetterError,
    SourceError,
    UnsafeHeader,
    UnsupportedAddress,
)
from emails.folding import LIMIT as FOLD_OVER
from emails.footer import LONGEST as LONGEST_FOOTER
from emails.frontmatter import FrontMatter, PostSource, read_post, write_post
from emails.incoming import Incoming, IncomingKind
from emails.incoming import read as read_incoming
from emails.letter import Letter
from emails.lint import Finding, Proof, Reference, findings
from emails.markdown import parse
from emails.mime import build_letter
from emails.notices import NOTICES, compile_notice
from emails.personalise import personal_html, personal_subject, personal_text
from emails.rewriting import rewritten
from emails.style import PRESETS, Cards, Faces, Header, Headings, Preset, Quotes, Style, preset_of
from emails.targets import host_of
from emails.text import render_plain
from emails.unfurled import lonely_links, with_cards
from emails.unfurled import written as write_card
from emails.values import (
    Access,
    Audience,
    Compiled,
    Envelope,
    Fold,
    PostContent,
    Recipient,
    Rendering,
    Sender,
    Theme,
    mailed_to,
)
from emails.visible import has_preview, visible
from emails.web import render_web

__all__ = [
    "FOLD_OVER",
    "LONGEST_FOOTER",
    "NOTICES",
    "PRESETS",
    "Access",
    "Audience",
    "BadKey",
    "Card",
    "Cards",
    "Compiled",
    "Document",
    "DocumentError",
    "Envelope",
    "Faces",
    "Finding",
    "Fold",
    "FrontMatter",
    "FrontMatterError",
    "Header",
    "Headings",
    "Incoming",
    "IncomingKind",
    "Key",
    "Letter",
    "LetterError",
    "PostContent",
    "PostSource",
    "Preset",
    "Proof",
    "Quotes",
    "Recipient",
    "Reference",
    "Rendering",
    "Sender",
    "SignedLetter",
    "SourceError",
    "Style",
    "Theme",
    "UnsafeHeader",
    "UnsupportedAddress",
    "accent_for",
    "build_letter",
    "compile_notice",
    "compile_post",
    "contrast",
    "findings",
    "has_preview",
    "host_of",
    "lonely_links",
    "mailable",
    "mailed_to",
    "parse",
    "personal_html",
    "personal_subject",
    "personal_text",
    "preset_of",
    "read_incoming",
    "read_post",
    "render_plain",
    "render_web",
    "rewritten",
    "visible",
    "with_cards",
    "write_card",
    "write_post",
]
