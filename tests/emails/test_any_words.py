"""Whatever anybody types arrives as it was typed, in sound messages: names, subjects, titles, bodies, addresses."""

import re
from dataclasses import replace
from email.message import EmailMessage
from typing import cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import emails
from emails import NOTICES, Audience, Letter, Sender
from emails.characters import one_line, tidy
from emails.document import Link, inlines
from emails.personalise import tidy_name
from newsletter.subscribers.addresses import Address, BadAddress
from tests.emails import test_notices
from tests.emails.samples import ADA, ENVELOPE, THEME, content, part, read, tree
from tests.emails.test_letter import HEADERS, same, sound

TRAPS = (
    *(
        '"><script>alert(1)</script>',
        "</p></td><h1>x",
        "<!--",
        "]]>",
        "<![endif]-->",
        "&amp;",
        "&#60;b&#62;",
        "'\" onload='x'",
    ),
    *(
        "\r\nBcc: eve@evil.example\r\n\r\n",
        "\n.\n",
        "\nFrom nobody",
        "\0",
        "\x1b[31m",
        "\u2028\u2029\u0085",
        "\u202egnp.exe",
    ),
    *("=?utf-8?q?Encoded?= =?utf-8?b?V29yZA==?=", "=3D=\r\n", "=", "a@b.example, c@d.example", "\\", '"', "();:<>[]@"),
    *(
        "__UNSUBSCRIBE_URL__",
        "__NAME_41__",
        "\ufdd0\ufdd0",
        "%EF%B7%90",
        "nl-value-0-",
        "{{ 7*7 }}",
        "{% raw %}",
        "<mj-raw>",
    ),
    *("x" * 1200, "漢" * 400, "é" * 77, " " * 90, "👩‍👩‍👧‍👦" * 20, "e\u0301", "محمد שירה", "\u200b", "\ufeff", "&"),
)
ANY = st.lists(st.sampled_from(TRAPS) | st.text(max_size=40), max_size=4).map("".join)
WORD = re.compile(r"=\?utf-8\?[qb]\?[^?\s]*\?=")
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
QUICK = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
DEEP = settings(deadline=None, max_examples=800, suppress_health_check=list(HealthCheck))


def sound_and_read(message: bytes, wanted: list[str]) -> EmailMessage:
    """What Python's parser makes of it, after its bytes have been looked at."""
    sound(message)
    assert b"\r" not in message.replace(b"\r\n", b"")
    head = message.split(b"\r\n\r\n", 1)[0].decode()
    assert [line.partition(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))] == wanted
    for line in head.split("\r\n"):
        assert line.strip()
        words = WORD.findall(line)
        assert all(len(word) <= 75 for word in words)
        assert len(line) <= 76 or not words
        assert len(words) == line.count("=?utf-8?"), line
    parsed = read(message)
    assert parsed.keys() == wanted
    assert not parsed.defects
    assert not [defect for piece in parsed.iter_parts() for defect in piece.defects]
    return parsed


def tags(html: str) -> list[str]:
    return [str(element.tag) for element in tree(html).iter()]


# A post


def check_post(name: str, subject: str, title: str, subtitle: str, sender: str, body: str) -> None:
    subject, title = subject.replace("{", "("), title.replace("{", "(")  # {name} is a promise to be kept
    words = f"Begin {one_line(tidy(body))} end."
    # As they are read from the front matter.
    subject, title, subtitle = (tidy(typed) for typed in (subject, title, subtitle))
    typed = {"title": title or "T", "subtitle": subtitle, "subject": subject or "S", "preheader": subtitle or "P"}
    said = content(escaped(words), **typed)
    compiled = emails.compile_post(said, THEME, Audience.FREE)
    envelope = replace(ENVELOPE, sender=Sender(sender, "mara@letters.example.org", ENVELOPE.sender.reply_to))
    letter = emails.build_letter(compiled, envelope)
    message = letter.splice(ADA._replace(name=name))

    assert compiled.missing == ()
    assert Letter.from_bytes(letter.to_bytes()).splice(ADA._replace(name=name)) == message
    parsed = sound_and_read(message, HEADERS)
    assert same(parsed["To"].addresses[0].display_name, tidy_name(name))
    assert same(parsed["From"].addresses[0].display_name, one_line(sender))
    assert len(parsed["To"].addresses) == len(parsed["From"].addresses) == 1
    assert same(str(parsed["Subject"]), one_line(typed["subject"]))
    page, text = tree(part(parsed, "html")), part(parsed, "plain")
    assert [p.text_content() for p in page.xpath("//p") if p.text_content().startswith("Begin ")] == [words]
    assert same_words(page.xpath("string(//h1)"), typed["title"])
    for part_of_it in (typed["title"], subtitle, words):
        assert bare(part_of_it) in bare(text)
    benign = emails.compile_post(
        content("x", **{key: value and "x" for key, value in typed.items()}), THEME, Audience.FREE
    )
    assert [tag for tag in tags(part(parsed, "html")) if tag != "a"] == [tag for tag in tags(benign.html) if tag != "a"]


POST = {"name": ANY, "subject": ANY, "title": ANY, "subtitle": ANY, "sender": ANY, "body": ANY}


@QUICK
@given(**POST)
def test_a_post_arrives_as_it_was_typed(**typed: str) -> None:
    check_post(**typed)


@pytest.mark.slow
@DEEP
@given(**POST)
def test_a_post_arrives_as_it_was_typed_whatever_was(**typed: str) -> None:
    check_post(**typed)


def test_a_title_that_nobody_tidied_carries_no_control_characters() -> None:
    compiled = emails.compile_post(content(title="A\0 \x1b[1m_B"), THEME, Audience.FREE)

    assert tree(compiled.html).xpath("string(//h1)") == "A [1m_B"
    assert "\nA [1m_B\n" in compiled.text


@pytest.mark.parametrize("trap", TRAPS)
def test_so_does_every_trap_by_itself(trap: str) -> None:
    check_post(name=trap, subject=trap, title=trap, subtitle=trap, sender=trap, body=trap)


# Notices


WORDS = ("address", "old_address", "code", "title", "because", "sender", "regarding")


def check_notice(notice: str, typed: dict[str, str], lines: list[str], names: list[str]) -> None:
    values = test_notices.VALUES | {key: one_line(tidy(value)) or "x" for key, value in typed.items()}
    values |= {
        "lines": [one_line(tidy(line)) for line in lines],
        "newsletters": [one_line(tidy(name)) for name in names],
    }
    compiled = emails.compile_notice(notice, values, THEME)
    parsed = sound_and_read(
        emails.build_letter(compiled, test_notices.envelope()).splice(ADA),
        [name for name in HEADERS if name not in BULK],
    )

    assert same(str(parsed["Subject"]), emails.personal_subject(compiled, ADA))
    shown, text = str(tree(part(parsed, "html")).text_content()), part(parsed, "plain")
    calm = emails.compile_notice(
        notice,
        values
        | dict.fromkeys(WORDS, "x")
        | {
            "lines": ["x" if line else "" for line in cast("list[str]", values["lines"])],
            "newsletters": ["x" for _ in names],
        },
        THEME,
    )
    assert tags(part(parsed, "html")) == tags(calm.html)
    for key in WORDS:
        assert (bare(str(values[key])) in bare(text)) >= (key_is_used(notice, key)), key
        assert (bare(str(values[key])) in bare(shown)) >= (key_is_used(notice, key)), key


BULK = {
    "Reply-To",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Owner",
    "List-Post",
    "List-Help",
    "List-Archive",
    "Feedback-ID",
    "Precedence",
}


def key_is_used(notice: str, key: str) -> bool:
    """Whether a notice shows a value at all: then it must show any."""
    token = "quitealonelyword"
    return token in emails.compile_notice(notice, test_notices.VALUES | {key: token}, THEME).text


NOTICE = {
    "notice": st.sampled_from(NOTICES),
    "typed": st.fixed_dictionaries(dict.fromkeys(WORDS, ANY)),
    "lines": st.lists(ANY, min_size=1, max_size=4),
    "names": st.lists(ANY.filter(lambda name: bool(one_line(tidy(name)))), min_size=1, max_size=3),
}


@QUICK
@given(**NOTICE)
def test_a_notice_says_what_it_was_given(
    notice: str, typed: dict[str, str], lines: list[str], names: list[str]
) -> None:
    check_notice(notice, typed, lines, names)


@pytest.mark.slow
@DEEP
@given(**NOTICE)
def test_a_notice_says_whatever_it_was_given(
    notice: str, typed: dict[str, str], lines: list[str], names: list[str]
) -> None:
    check_notice(notice, typed, lines, names)


# Addresses, of readers and of pages


LOCAL = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}", fullmatch=True)
DOMAIN = st.from_regex(r"([a-z0-9äéя漢]([a-z0-9-]{0,20}[a-z0-9])?\.){1,3}(org|example\.com|net|рф)", fullmatch=True)
ADDRESSES = st.emails() | st.builds("{}@{}".format, LOCAL, DOMAIN) | ANY | st.builds("{}@{}".format, ANY, DOMAIN)


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(ADDRESSES, ANY)
@example("o'brien+letters@bücher.com", "Ada")
def test_whoever_may_sign_up_can_be_written_to(typed: str, name: str) -> None:
    try:
        address = Address.read(typed).email
    except BadAddress:
        return  # it was refused with a sentence

    parsed = sound_and_read(LETTER.splice(ADA._replace(address=address, name=name)), HEADERS)

    assert [each.addr_spec for each in parsed["To"].addresses] == [address]
    assert same(parsed["To"].addresses[0].display_name, tidy_name(name))


LETTER = emails.build_letter(emails.compile_post(content("Hello {name}."), THEME, Audience.FREE), ENVELOPE)
URLS = st.builds(
    "{}://a.example/{}".format,
    st.sampled_from(["https", "http"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="<>"), max_size=60),
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(URLS)
def test_a_link_leads_where_its_author_wants_in_both_parts(url: str) -> None:
    document = emails.parse(f"Go [there](<{escaped(url)}>).")
    links = [node.url for node in inlines(document) if isinstance(node, Link)]
    compiled = emails.compile_post(content("", document=document), THEME, Audience.FREE)
    parsed = sound_and_read(emails.build_letter(compiled, ENVELOPE).splice(ADA), HEADERS)
    hrefs = tree(part(parsed, "html")).xpath("//a[text()='there']/@href")

    assert len(links) == 1
    assert hrefs == links
    assert links[0] in part(parsed, "plain").split() or f"{links[0]})" in part(parsed, "plain")
    assert re.fullmatch(r"https?://a\.example/\S*", links[0])


@settings(deadline=None, max_examples=100)
@given(ANY, st.sampled_from(["unsubscribe_url", "unsubscribe_mailto", "message_id"]))
def test_no_reader_value_leaves_its_header_but_by_a_refusal(value: str, field: str) -> None:
    try:
        message = LETTER.splice(ADA._replace(**{field: value}))  # type: ignore[arg-type]  # one of three texts
    except emails.UnsafeHeader:
        return

    sound_and_read(message, HEADERS)


def escaped(text: str) -> str:
    """As Markdown that means these letters and nothing else."""
    return PUNCTUATION.sub(r"\\\1", text)


def bare(text: str) -> str:
    return "".join(one_line(tidy(text)).split())


def same_words(shown: str, typed: str) -> bool:
    return bare(shown) == bare(typed)
