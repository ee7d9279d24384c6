"""Who reads the product under test: names and addresses that break letters elsewhere."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reader:
    email: str
    name: str = ""
    is_paying: bool = False
    has_left: bool = False


READERS = (
    Reader("ada@example.com", "Ada"),
    Reader("grace@example.com", "Grace", is_paying=True),
    Reader("linus@example.com", "Linus", has_left=True),
    Reader("nameless@example.com"),
    Reader("anna@xn--bcher-kva.example", "Anna Bücher"),
    Reader("o'brien+letters@example.com", "Siobhán O’Brien", is_paying=True),
    Reader("Mixed.Case@Example.org", "M. Case"),
    Reader(f"{'l' * 64}@a-rather-long-name-of-a-mail-server.of-a-university.example.org", "x" * 100),
    Reader("markup@example.com", '<script>alert("1")</script><b>Bobby</b> & Co'),
    Reader("lines@example.com", "Eve\r\nBcc: everybody@example.net\r\n\r\nMore"),
    Reader("quotes@example.com", '"Quoted", Inc. <postmaster@example.net>'),
    Reader("words@example.com", "=?utf-8?q?Encoded?= =?utf-8?q?Word?="),
    Reader("marks@example.com", "__UNSUBSCRIBE_URL__ {name} %s {{ 7*7 }}"),
    Reader("dots@example.com", "."),
    Reader("right@example.com", "محمد שירה \u202egnp.exe"),
    Reader("family@example.com", "👩‍👩‍👧‍👦 李さくら Zoë Ł"),
    Reader("nothing@example.com", "\u200b\u2028 \t"),
)


def due() -> list[Reader]:
    return [reader for reader in READERS if not reader.has_left]
