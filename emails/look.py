"""How a letter looks: rules that are inlined, and rules for the head (dark schemes, phones), where alone
`!important` may stand: inlined it would beat every rule of the head."""

import re

from emails import colour, look_of_elements, styled
from emails.faces import CODE, INTERFACE
from emails.style import Style

FOOTER_LINK = f"color: {colour.MUTED}; text-decoration: underline"


def mirrored(rules: str) -> str:
    """The same rules for a language that is written from the right."""
    swapped = re.sub(r"\b(left|right)\b", lambda side: "right" if side[1] == "left" else "left", rules)
    return re.sub(r"(: *\S+) (\S+) (\S+) ([^\s;]+);", r"\1 \4 \3 \2;", swapped)


def inlined(accent: str, style: Style) -> str:
    """Rules for premailer to write into style attributes. No rule here depends on the scheme or on the width."""
    link = colour.accent_for(accent, colour.GROUND)
    return f"""
.text p {{ margin: 0 0 20px; }}
.text a {{ color: {link}; text-decoration: underline; }}
.text h1 {{ margin: 0 0 12px; font-size: 34px; line-height: 1.2; font-weight: bold; }}
.text h1 a {{ color: {colour.INK}; text-decoration: none; }}
.text h2 {{ margin: 40px 0 12px; font-size: 24px; line-height: 1.2; font-weight: bold; }}
.text h3 {{ margin: 32px 0 10px; font-size: 20px; line-height: 1.25; font-weight: bold; }}
.text h4, .text h5, .text h6 {{ margin: 28px 0 8px; font-size: 18px; line-height: 1.3; font-weight: bold; }}
.text ul, .text ol {{ margin: 0 0 20px; padding: 0 0 0 28px; }}
.text li {{ margin: 0 0 8px; padding: 0 0 0 4px; }}
.text li ul, .text li ol {{ margin: 8px 0 0; }}
.text sup {{ font-size: 14px; line-height: 0; vertical-align: super; }}
.text sup a {{ text-decoration: none; }}
.text hr {{ width: 96px; margin: 36px auto; border: 0; border-top: 1px solid {colour.HAIRLINE}; }}
.text code {{ font-family: {CODE}; font-size: 16px; background-color: {colour.GROUND}; padding: 1px 3px;
  border-radius: 4px; }}
.text .code {{ width: 100%; margin: 0 0 20px; border-collapse: separate; }}
.text .code-cell {{ font-family: {CODE}; font-size: 15px; line-height: 1.5; color: {colour.INK}; text-align: left;
  background-color: {colour.GROUND}; padding: 14px 16px; border-radius: 8px; word-break: break-word; }}
.text .quote {{ width: 100%; margin: 0 0 20px; border-collapse: separate; }}
.text .quote-cell {{ border-left: 2px solid {colour.HAIRLINE}; padding: 0 0 0 20px; color: {colour.INK};
  font-size: 18px; line-height: 1.6; text-align: left; }}
.text blockquote {{ margin: 0; padding: 0; }}
.text blockquote .last {{ margin: 0; }}
.text .image {{ margin: 28px 0; }}
.text img {{ max-width: 100%; height: auto; border: 0; }}
.text .image img {{ display: block; margin: 0 auto; border-radius: 6px; }}
.text .caption {{ margin: 8px 0 0; font-family: {INTERFACE}; font-size: 14px; line-height: 1.45;
  color: {colour.MUTED}; text-align: center; }}
.text .button {{ margin: 28px 0; border-collapse: separate; }}
.text .button-cell {{ background-color: {link}; border-radius: 8px; text-align: center; }}
.text .button-cell a {{ display: inline-block; padding: 12px 24px; font-family: {INTERFACE}; font-size: 16px;
  line-height: 22px; font-weight: 600; color: {colour.PAPER}; text-decoration: none; border-radius: 8px; }}
.text .invitation {{ width: 100%; margin: 32px 0; border-collapse: separate; }}
.text .invitation-cell {{ border-top: 1px solid {colour.HAIRLINE}; border-bottom: 1px solid {colour.HAIRLINE};
  padding: 24px 0; text-align: left; font-size: 18px; line-height: 1.6; color: {colour.INK}; }}
.text .invitation-cell p {{ margin: 0 0 16px; }}
.text .invitation-cell .button {{ margin: 0; }}
.text .card {{ width: 100%; margin: 0 0 20px; border-collapse: separate; }}
.text .card-cell {{ border: 1px solid {colour.HAIRLINE}; border-radius: 10px; padding: 16px 20px;
  text-align: left; color: {colour.INK}; }}
.text .card-image {{ margin: 0 0 12px; font-size: 0; line-height: 0; }}
.text .card-image img {{ display: block; border-radius: 6px; }}
.text .card-source {{ margin: 0 0 8px; border-collapse: separate; }}
.text .card-logo {{ width: 20px; height: 20px; font-size: 0; line-height: 0; }}
.text .card-logo img {{ display: block; border-radius: 4px; }}
.text .card-tile {{ width: 20px; height: 20px; background-color: {colour.GROUND}; border-radius: 4px;
  font-family: {INTERFACE}; font-size: 14px; line-height: 20px; font-weight: 600; color: {colour.INK};
  text-align: center; }}
.text .card-publication {{ padding: 0 0 0 8px; font-family: {INTERFACE}; font-size: 14px; line-height: 20px;
  color: {colour.MUTED}; text-align: left; }}
.text .card p {{ margin: 0; }}
.text .card .card-title {{ font-size: 19px; line-height: 1.3; font-weight: bold; }}
.text .card .card-title a {{ color: {colour.INK}; text-decoration: none; }}
.text .card .card-excerpt {{ margin: 4px 0 0; font-size: 16px; line-height: 1.5; color: {colour.MUTED}; }}
.text .card .card-meta {{ margin: 8px 0 0; font-family: {INTERFACE}; font-size: 14px; line-height: 1.5;
  color: {colour.MUTED}; }}
.text .masthead {{ margin: 0; font-family: {INTERFACE}; font-size: 16px; line-height: 24px; font-weight: 600; }}
.text .masthead a {{ color: {colour.INK}; text-decoration: none; }}
.text .masthead img {{ vertical-align: middle; margin: 0 10px 0 0; border-radius: 6px; }}
.text .series {{ margin: 0 0 8px; font-family: {INTERFACE}; font-size: 15px; line-height: 1.5; color: {colour.MUTED}; }}
.text .dek {{ margin: 0 0 14px; font-size: 20px; line-height: 1.4; color: {colour.MUTED}; }}
.text .byline {{ margin: 0; font-family: {INTERFACE}; font-size: 15px; line-height: 1.5; color: {colour.MUTED}; }}
.text .actions {{ margin: 0; font-family: {INTERFACE}; font-size: 15px; line-height: 1.5; }}
.text .notes {{ margin: 0; font-size: 16px; line-height: 1.55; }}
.text .notes p {{ margin: 0 0 12px; }}
.text .secret {{ margin: 0 0 20px; font-family: {CODE}; font-size: 32px; line-height: 1.3; font-weight: bold;
  letter-spacing: 4px; }}
.text .label {{ margin: 0 0 12px; font-family: {INTERFACE}; font-size: 14px; line-height: 1.5; font-weight: 600;
  color: {colour.MUTED}; }}
.text .fine {{ margin: 0 0 10px; font-family: {INTERFACE}; font-size: 14px; line-height: 1.55;
  color: {colour.MUTED}; }}
.text .fine a {{ color: {colour.MUTED}; }}
.text .target {{ display: inline-block; padding: 11px 16px 11px 0; line-height: 22px; }}
.hairline {{ border-top: 1px solid {colour.HAIRLINE}; }}
{look_of_elements.inlined()}
{_written(styled.inlined(style))}
"""


def dark(accent: str, style: Style, *, has_dark_logo: bool) -> str:
    """One list of rules, said twice: for programs that ask for a scheme, and for Outlook.com, which marks the page."""
    rules = [*_dark_rules(accent), *styled.dark(style, has_dark_logo=has_dark_logo)]
    return f"@media (prefers-color-scheme: dark) {{\n{_insisting(rules)}\n}}"


def outlook_dark(accent: str, style: Style, *, has_dark_logo: bool) -> str:
    rules = [*_dark_rules(accent), *styled.dark(style, has_dark_logo=has_dark_logo)]
    return _insisting(
        [
            (", ".join(f"[data-ogsc] {part.strip()}" for part in selector.split(",")), declarations)
            for selector, declarations in rules
        ]
    )


# Fixed, or an image that is not shown would keep its column as wide as its width says.
FITTING = """@media only screen and (max-width: 600px) {
.mj-column-per-100 > table { table-layout: fixed !important; }
}"""


def phone(style: Style) -> str:
    rules = [(".text ul, .text ol", "padding-left: 22px"), *styled.phone(style), *look_of_elements.PHONE]
    return f"{FITTING}\n@media only screen and (max-width: 480px) {{\n{_insisting(rules)}\n}}"


def _dark_rules(accent: str) -> styled.Rules:
    link = colour.accent_for(accent, colour.DARK_GROUND)
    return [
        ("body, .paper", f"background-color: {colour.DARK_PAPER}"),
        (".text div, .text h1 a, .text .masthead a", f"color: {colour.DARK_INK}"),
        (
            ".text .quote-cell, .text .card-cell, .text .card-title a, .text .invitation-cell",
            f"color: {colour.DARK_INK}",
        ),
        (
            ".text .caption, .text .card-publication, .text .card-excerpt, .text .card-meta, "
            ".text .series, .text .dek, .text .byline, .text .label, .text .fine, .text .fine a",
            f"color: {colour.DARK_MUTED}",
        ),
        (
            ".text p a, .text li a, .text .image a, .text h2 a, .text h3 a, .text sup a",
            f"color: {link}",
        ),
        (".text code", f"background-color: {colour.DARK_GROUND}"),
        (".text .code-cell, .text .card-tile", f"background-color: {colour.DARK_GROUND}; color: {colour.DARK_INK}"),
        *look_of_elements.dark_rules(link),
        (".text .button-cell", f"background-color: {link}"),
        (".text .button-cell a", f"color: {colour.DARK_PAPER}"),
        (
            ".text hr, .text .quote-cell, .text .card-cell, .text .invitation-cell, .hairline",
            f"border-color: {colour.DARK_HAIRLINE}",
        ),
    ]


def _written(rules: styled.Rules) -> str:
    return "\n".join(f"{selector} {{ {declarations}; }}" for selector, declarations in rules)


def _insisting(rules: styled.Rules) -> str:
    """For the head: what is inlined would win otherwise."""
    return "\n".join(
        f"{selector} {{ {'; '.join(f'{each.strip()} !important' for each in declarations.split(';'))} }}"
        for selector, declarations in rules
    )
