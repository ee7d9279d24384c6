"""Pictures: what is heard where they are not seen, and what they weigh."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from emails.lint.proof import Finding, Proof
from emails.targets import path_of

HEAVY = 200_000  # bytes of one picture: seconds on a phone in a train
HEAVY_TOGETHER = 1_000_000
_NO_WORDS = re.compile(
    r"(?:image|picture|photo|screenshot|img|untitled|pasted ?image|alt ?text|description)?[\s_-]*\d*"
    r"|\S+\.(?:jpe?g|png|gif|webp|heic)|(?:img|dsc|pxl|image)[_-]\d+\S*",
    re.IGNORECASE,
)
_HALF_KNOWN = frozenset({".svg", ".webp", ".avif", ".heic", ".tif", ".tiff", ".bmp"})


def unsaid(proof: Proof) -> Iterator[Finding]:
    for shown, alt in proof.pictures:
        if not alt:
            what = "says nothing to those who do not see it, and half of all inboxes show no pictures at first"
            code = "no_alt"
        elif _NO_WORDS.fullmatch(alt):
            what, code = f"is called “{alt}”, which tells nobody what is on it", "poor_alt"
        else:
            continue
        yield Finding(
            "warning",
            code,
            f"This picture {what}. Say what it shows, between its square brackets.",
            shown.line,
            shown.url,
        )


def heavy(proof: Proof) -> Iterator[Finding]:
    known = [(shown, proof.weights[shown.url]) for shown, _ in proof.pictures if shown.url in proof.weights]
    for shown, weight in known:
        if weight > HEAVY:
            yield Finding(
                "warning",
                "heavy_picture",
                f"This picture weighs {weight // 1000:,} kB; {HEAVY // 1000} kB are plenty for a letter. Make it "
                "smaller, or save it with fewer details.",
                shown.line,
                shown.url,
            )
    total = sum(weight for _, weight in known)
    if total > HEAVY_TOGETHER:
        yield Finding(
            "warning",
            "heavy_pictures",
            f"The pictures weigh {total / 1_000_000:.1f} MB together; who reads on the road pays for each.",
        )


def unknown_kind(proof: Proof) -> Iterator[Finding]:
    for shown, _ in proof.pictures:
        ending = PurePosixPath(path_of(shown.url)).suffix.lower()
        if ending in _HALF_KNOWN:
            yield Finding(
                "warning",
                "picture_kind",
                f"Not every mail program shows pictures of the kind {ending[1:].upper()}. Use JPEG, PNG or GIF.",
                shown.line,
                shown.url,
            )


def insecure(proof: Proof) -> Iterator[Finding]:
    own = proof.site_url.lower()
    for shown, _ in proof.pictures:
        if shown.url.lower().startswith("http://") and not (own and shown.url.lower().startswith(own)):
            yield Finding(
                "warning",
                "insecure_picture",
                "This picture comes over http://, and many mail programs do not fetch it. Use its https:// address.",
                shown.line,
                shown.url,
            )


RULES = (unsaid, heavy, unknown_kind, insecure)
