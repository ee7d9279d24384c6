"""How the elements of `emails/elements/` look in a letter: rules to be inlined, and those for dark schemes."""

from emails import colour
from emails.faces import CODE, INTERFACE

# Kinds of words in code (see highlighting.py): in light schemes on the ground of code, and in dark ones.
CODE_COLOURS = {
    "hl-comment": (colour.MUTED, colour.DARK_MUTED),
    "hl-keyword": ("#8a2f5d", "#e6a3c4"),
    "hl-string": ("#2b6438", "#9bcf9f"),
    "hl-number": ("#7a5109", "#e0b465"),
    "hl-name": ("#1d5b8f", "#8fc1ea"),
}

# Elements of an author's own HTML that may have colours of their own; mail programs do not know “all of them”.
_COLOURED = ("p", "li", "td", "th", "div", "span", "b", "strong", "em", "h2", "h3", "h4", "blockquote", "table")


def inlined() -> str:
    """Most boxes share one shape; each says what is its own."""
    code = "\n".join(f".text .{kind} {{ color: {light}; }}" for kind, (light, _) in CODE_COLOURS.items())
    return f"""
.text .turned {{ text-align: right; }}
.text .tasks {{ list-style-type: none; padding: 0; }}
.text .tasks ul, .text .tasks ol {{ padding: 0 0 0 28px; }}
.text .source {{ margin: 8px 0 0; font-family: {INTERFACE}; font-size: 15px; line-height: 1.5; color: {colour.MUTED}; }}
.text .source cite {{ font-style: normal; }}
.text .data {{ width: 100%; margin: 0 0 20px; border-collapse: collapse; font-size: 16px; line-height: 1.45; }}
.text .data th {{ padding: 6px 10px 6px 0; border-bottom: 2px solid {colour.HAIRLINE}; font-family: {INTERFACE};
  font-size: 14px; font-weight: 600; vertical-align: bottom; color: {colour.MUTED}; word-break: normal; }}
.text .data td {{ padding: 8px 10px 8px 0; border-bottom: 1px solid {colour.HAIRLINE};
  vertical-align: top; word-break: normal; }}
.text .code-title {{ margin: 0 0 6px; font-family: {CODE}; font-size: 14px; line-height: 1.5; color: {colour.MUTED}; }}
.text .callout, .text .toggle, .text .sponsor, .text .embed, .text .product, .text .poll, .text .series-nav,
.text .player, .text .pullquote {{ width: 100%; margin: 0 0 20px; border-collapse: separate; }}
.text .callout-cell {{ background-color: {colour.GROUND}; border-radius: 10px; padding: 16px 20px; text-align: left;
  font-size: 17px; line-height: 1.55; color: {colour.INK}; }}
.text .callout .callout-title, .text .toggle .toggle-title,
.text .player .player-title {{ margin: 0 0 6px; font-family: {INTERFACE};
  font-size: 16px; line-height: 1.45; font-weight: 600; }}
.text .callout p, .text .toggle p, .text .sponsor p, .text .product p {{ margin: 0 0 12px; }}
.text .callout .last, .text .toggle .last, .text .sponsor .last,
.text .pullquote .last {{ margin: 0; }}
.text .toggle-cell {{ border-left: 2px solid {colour.HAIRLINE}; padding: 2px 0 2px 18px; text-align: left;
  font-size: 17px; line-height: 1.55; color: {colour.INK}; }}
.text .sponsor-cell, .text .product-cell, .text .poll-cell, .text .series-nav-cell, .text .embed-cell,
.text .player-cell {{ border: 1px solid {colour.HAIRLINE}; border-radius: 10px; padding: 16px 20px; text-align: left;
  font-size: 17px; line-height: 1.55; color: {colour.INK}; }}
.text .sponsor .sponsor-label {{ margin: 0 0 8px; font-family: {INTERFACE}; font-size: 14px; line-height: 1.45;
  font-weight: 600; color: {colour.MUTED}; }}
.text .sponsor-label img {{ width: 24px; height: 24px; vertical-align: middle; margin: 0 8px 0 0; border-radius: 4px; }}
.text .sponsor .button, .text .product .button {{ margin: 14px 0 0; }}
.text .pullquote-cell {{ padding: 8px 24px; text-align: center; font-size: 25px; line-height: 1.35; font-weight: bold;
  color: {colour.INK}; }}
.text .gallery {{ width: 100%; margin: 0 0 8px; border-collapse: separate; }}
.text .gallery-cell {{ padding: 0; text-align: center; }}
.text .gallery-first {{ padding: 0 6px 0 0; }}
.text .gallery-second {{ padding: 0 0 0 6px; }}
.text .gallery-cell .image {{ margin: 0 0 12px; }}
.text .player-link {{ margin: 0 0 20px; font-family: {INTERFACE}; font-size: 16px; line-height: 1.5; }}
.text .player .player-title {{ margin: 0; }}
.text .embed-cell p {{ margin: 0 0 10px; }}
.text .embed .last {{ margin: 0; }}
.text .embed .embed-author {{ margin: 0 0 6px; font-family: {INTERFACE}; font-size: 15px; line-height: 1.45;
  font-weight: 600; }}
.text .embed .embed-source {{ margin: 10px 0 0; font-family: {INTERFACE}; font-size: 14px; line-height: 1.5; }}
.text .product-title {{ font-size: 19px; line-height: 1.3; font-weight: bold; }}
.text .product .product-title {{ margin: 0; }}
.text .product .product-price {{ margin: 2px 0 10px; font-family: {INTERFACE}; font-size: 16px;
  color: {colour.MUTED}; }}
.text .poll-question {{ margin: 0 0 8px; font-size: 18px; line-height: 1.4; font-weight: bold; }}
.text .poll-answers {{ margin: 0; padding: 0; list-style-type: none; }}
.text .poll-answers li {{ margin: 0; padding: 0; border-top: 1px solid {colour.HAIRLINE}; }}
.text .poll-answers a {{ display: block; padding: 11px 0; line-height: 24px; }}
.text .series-step {{ margin: 0 0 4px; font-size: 16px; line-height: 1.5; }}
.text .math {{ margin: 0 0 20px; text-align: center; font-size: 20px; line-height: 1.6; }}
.text .own-html {{ margin: 0 0 20px; }}
.text .own-html td, .text .own-html th {{ padding: 4px 8px; }}
{code}
"""


# Lists without marks, whose ends the rules for phones would push in again.
PHONE = [(".text .tasks, .text .poll-answers", "padding-left: 0")]


def dark_rules(link: str) -> list[tuple[str, str]]:
    return [
        (
            ".text .callout-cell, .text .toggle-cell, .text .sponsor-cell, .text .product-cell, .text .poll-cell, "
            ".text .series-nav-cell, .text .embed-cell, .text .player-cell, .text .pullquote-cell",
            f"color: {colour.DARK_INK}",
        ),
        (".text .callout-cell", f"background-color: {colour.DARK_GROUND}"),
        (
            ".text .source, .text .data th, .text .code-title, .text .sponsor-label, .text .product-price",
            f"color: {colour.DARK_MUTED}",
        ),
        (
            ".text .data th, .text .data td, .text .toggle-cell, .text .sponsor-cell, .text .product-cell, "
            ".text .poll-cell, .text .poll-answers li, .text .series-nav-cell, .text .embed-cell, .text .player-cell",
            f"border-color: {colour.DARK_HAIRLINE}",
        ),
        (".text td a, .text .own-html a", f"color: {link}"),
        # Colours of an author's own HTML were chosen on white paper.
        (
            ", ".join((".text .own-html", *(f".text .own-html {tag}" for tag in _COLOURED))),
            f"color: {colour.DARK_INK}; background-color: {colour.DARK_PAPER}",
        ),
        *((f".text .{kind}", f"color: {dark}") for kind, (_, dark) in CODE_COLOURS.items()),
    ]
