"""A post into responsive mail: values in, values out. No database, no clock, no network, no settings."""

from emails.addresses import mailable
from emails.colour import accent_for, contrast
from emails.compile import compile_post
from emails.document import Document
from emails.errors import (
    DocumentError,
    FrontMatterError,
    LetterError,
    SourceError,
    UnsafeHeader,
    UnsupportedAddress,
)
from emails.frontmatter import FrontMatter, PostSource, read_post, write_post
from emails.letter import Letter
from emails.markdown import parse
from emails.mime import build_letter
from emails.notices import NOTICES, compile_notice
from emails.personalise import personal_html, personal_subject, personal_text
from emails.text import render_plain
from emails.values import Audience, Compiled, Envelope, PostContent, Recipient, Sender, Theme
from emails.web import render_web

__all__ = [
    "NOTICES",
    "Audience",
    "Compiled",
    "Document",
    "DocumentError",
    "Envelope",
    "FrontMatter",
    "FrontMatterError",
    "Letter",
    "LetterError",
    "PostContent",
    "PostSource",
    "Recipient",
    "Sender",
    "SourceError",
    "Theme",
    "UnsafeHeader",
    "UnsupportedAddress",
    "accent_for",
    "build_letter",
    "compile_notice",
    "compile_post",
    "contrast",
    "mailable",
    "parse",
    "personal_html",
    "personal_subject",
    "personal_text",
    "read_post",
    "render_plain",
    "render_web",
    "write_post",
]
