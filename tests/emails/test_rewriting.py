"""Nodes are exchanged wherever they stand, and nothing else moves."""

from dataclasses import replace

from emails import parse
from emails.document import Block, Image, Inline, Link
from emails.rewriting import rewritten

SOURCE = """# Deep

> - a ![one](https://a.example/1.png) and [b ![two](https://a.example/2.png) c](https://b.example)

![three](https://a.example/3.png)

A note.[^1]

[^1]: In it ![four](https://a.example/4.png) too.
"""


def test_every_node_is_asked_about_wherever_it_stands() -> None:
    asked: list[str] = []

    def sized(node: Block | Inline) -> Block | Inline:
        if isinstance(node, Image):
            asked.append(node.alt)
            return replace(node, width=7)
        return node

    document = rewritten(parse(SOURCE), sized)

    assert sorted(asked) == ["four", "one", "three", "two"]
    assert rewritten(document, sized) is document  # all four have their width already


def test_a_tree_in_which_nothing_changes_stays_the_same_object() -> None:
    document = parse(SOURCE)
    assert rewritten(document, lambda node: node) is document


def test_the_inner_node_is_exchanged_before_the_outer_one() -> None:
    seen: list[type] = []

    def noted(node: Block | Inline) -> Block | Inline:
        seen.append(type(node))
        return node

    rewritten(parse("[a ![b](https://c.example/d.png)](https://e.example)"), noted)
    assert seen.index(Image) < seen.index(Link)
