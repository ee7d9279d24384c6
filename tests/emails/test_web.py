import pytest
from lxml import html as lxml_html

from emails import Audience, render_web
from tests.emails.samples import THEME, content, demo


def page(markdown: str, audience: Audience = Audience.STRANGER, **more: str) -> str:
    return render_web(content(markdown, share_url=more.pop("share_url", "")), theme=THEME, audience=audience, **more)


def test_nothing_typed_becomes_markup() -> None:
    shown = page(
        "<script>alert(1)</script> [x](javascript:alert(1)) "
        '![" onerror="alert(1)](https://a.example/x.png)\n\n# <b id=\'x\'>\n\n```"><script>\nx\n```\n\n'
        ':::card\ntitle: "><img src=x onerror=alert(1)>\nurl: https://a.example/?"onclick=1\n:::\n'.replace('?"', "?")
    )

    tree = lxml_html.fragment_fromstring(shown, create_parent="main")
    assert not tree.xpath("//script | //b | //@onerror | //@onclick")
    assert not [href for href in tree.xpath("//@href") if not href.startswith(("https://", "#"))]


def test_notes_and_the_text_point_at_each_other() -> None:
    tree = lxml_html.fragment_fromstring(page("One.[^a] Two.[^a]\n\n[^a]: Note."), create_parent="main")

    ids = set(tree.xpath("//@id"))
    assert ids == {"fnref-1", "fnref-1-2", "fn-1"}
    assert {href.removeprefix("#") for href in tree.xpath("//@href")} == ids
    assert tree.xpath("//section/@role") == ["doc-endnotes"]
    assert tree.xpath("//a[@role='doc-backlink']/@aria-label")


def test_a_stranger_gets_the_form_of_the_page_a_free_reader_a_link_and_a_paying_one_nothing() -> None:
    form = '<form id="sign-up"></form>'

    assert form in page(":::subscribe", Audience.STRANGER, subscribe_html=form)
    assert THEME.upgrade_url in page(":::subscribe", Audience.FREE, subscribe_html=form)
    assert form not in page(":::subscribe", Audience.FREE, subscribe_html=form)
    assert page(":::subscribe", Audience.PAYING, subscribe_html=form) == ""


def test_a_card_keeps_the_case_of_its_publication_and_hides_an_excerpt_that_says_nothing() -> None:
    shown = page(":::card\npublication: arg min\ntitle: Kimi\nurl: https://a.example/\nexcerpt: Introduction…\n:::")

    assert "<span>arg min</span>" in shown
    assert "Introduction" not in shown
    assert '<span class="card-tile" aria-hidden="true">a</span>' in shown


def test_a_name_is_not_known_on_the_page() -> None:
    assert page("Dear {name|reader},") == "<p>Dear reader,</p>"


def test_the_demo_letter_has_no_id_twice_and_its_images_have_sizes() -> None:
    shown = render_web(demo(), theme=THEME, audience=Audience.FREE)
    tree = lxml_html.fragment_fromstring(shown, create_parent="main")

    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert all(image.get("width") and image.get("height") for image in tree.iter("img"))


@pytest.mark.parametrize("url", ["https://x.org/?rel=1", "https://x.org/rel=", "https://x.org/"])
def test_every_link_of_a_sponsor_says_that_it_is_paid_for(url: str) -> None:
    html = render_web(content(f":::sponsor The Nib Company\n[Read]({url})\n:::"), theme=THEME, audience=Audience.FREE)

    links = [link for link in lxml_html.fromstring(html).iter("a") if link.get("href") == url]
    assert [link.get("rel") for link in links] == ["sponsored"]
