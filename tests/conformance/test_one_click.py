"""Leaving as mail programs do it (RFC 8058), with curl against the running site."""

import re

import pytest

from tests.conformance import programs
from tests.conformance.verdicts import Told
from tests.product import Product, link
from tests.product.visitor import Visitor

pytestmark = [pytest.mark.judges, pytest.mark.journey]

SLUG = "for-those-who-stay"
ISSUE = f"---\ntitle: For those who stay\nsubtitle: A few words\nslug: {SLUG}\nnewsletter: postscript\n---\n\nHello.\n"
PEOPLE = {kind: f"{kind}@curl.example.org" for kind in ("urlencoded", "multipart", "looks", "stays")}


@pytest.fixture(scope="module")
def ways_out(product: Product) -> dict[str, str]:
    """List-Unsubscribe of an issue, for each of four new readers of the second newsletter."""
    visitor = Visitor(product.site)
    for address in PEOPLE.values():
        visitor.post("/subscribe", email=address, newsletter="postscript")
    for address in PEOPLE.values():
        visitor.post(link(product.letter(address, "Confirm"), "/confirm/"))
    product.script("write", ISSUE)
    product.send(SLUG)
    found = {}
    for kind, address in PEOPLE.items():
        issue = product.letter(address, "For those who stay")
        found[kind] = re.findall(r"<(http[^>]+)>", str(issue.headers()["List-Unsubscribe"]))[0]
    return found


@pytest.mark.verdict("curl", "a real run: leaves by one POST, without a cookie or a redirect")
@pytest.mark.parametrize(("kind", "option"), [("urlencoded", "-d"), ("multipart", "-F")])
def test_one_post_is_enough(product: Product, ways_out: dict[str, str], kind: str, option: str, told: Told) -> None:
    told.judged([PEOPLE[kind]])
    assert newsletters_of(product, PEOPLE[kind]) == ["Postscript"]

    head = curl(option, "List-Unsubscribe=One-Click", ways_out[kind])

    assert head.startswith("HTTP/1.1 200")
    assert "set-cookie" not in head.lower()
    assert "\nlocation:" not in head.lower()
    assert newsletters_of(product, PEOPLE[kind]) == []
    assert newsletters_of(product, PEOPLE["stays"]) == ["Postscript"]


@pytest.mark.parametrize("options", [(), ("-I",), ("-X", "OPTIONS"), ("-A", "Mozilla/5.0 (scanner)", "-L")])
def test_whoever_only_looks_changes_nothing(
    product: Product, ways_out: dict[str, str], options: tuple[str, ...]
) -> None:
    head = curl(*options, ways_out["looks"])

    assert head.startswith("HTTP/1.1 200")
    assert "set-cookie" not in head.lower()
    assert newsletters_of(product, PEOPLE["looks"]) == ["Postscript"]


@pytest.mark.verdict("curl")
def test_a_changed_link_takes_nobody_off(product: Product, ways_out: dict[str, str]) -> None:
    url = ways_out["stays"]
    changed = f"{url[:-4]}{'a' if url[-4] != 'a' else 'b'}{url[-3:]}"

    curl("-d", "List-Unsubscribe=One-Click", changed)

    assert newsletters_of(product, PEOPLE["stays"]) == ["Postscript"]


def curl(*words: str) -> str:
    """The head of the answer."""
    return programs.run(
        ["curl", "--silent", "--show-error", "--dump-header", "-", "--output", "/dev/null", *words]
    ).decode()


def newsletters_of(product: Product, address: str) -> list[str]:
    return [name for name in product.script("newsletters_of", address).splitlines() if name]
