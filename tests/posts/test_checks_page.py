"""The page about the checks names every one of them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "emails" / "lint").glob("*.py"), *(ROOT / "newsletter" / "posts").glob("*.py")]
CODE = re.compile(
    r'"(?:error|warning|unchecked)",\s*"([a-z_]+)"|\bcode = "([a-z_]+)"|what, code = f?"[^"]*", "([a-z_]+)"'
)


def test_every_code_is_explained() -> None:
    given = {code for file in SOURCES for found in CODE.findall(file.read_text()) for code in found if code}
    explained = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "checks.md").read_text()))

    given -= {"error", "warning", "unchecked"}
    assert len(given) > 40
    assert given - explained == set()
