"""The same tree with some of its nodes exchanged: what is stored elsewhere (pictures, cards) comes in this way."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from emails.document import Block, Document, Inline

Whole = TypeVar("Whole")


def rewritten(document: Document, change: Callable[[Block | Inline], Block | Inline]) -> Document:
    """The tree in which `change` was asked about every block and inline node, those inside of others first.

    It works for every kind of node, since it looks at what a node is made of and not at what it is called.
    """
    return _rewritten(document, change)


def _rewritten(node: Whole, change: Callable[..., object]) -> Whole:
    parts: dict[str, object] = {}
    for part in fields(node):  # type: ignore[arg-type]  # only dataclasses come here
        before = getattr(node, part.name)
        if isinstance(before, tuple) and any(map(is_dataclass, before)):
            parts[part.name] = tuple(_changed(each, change) for each in before)
        elif is_dataclass(before) and not isinstance(before, type):
            parts[part.name] = _changed(before, change)
    same = all(parts[name] is getattr(node, name) or parts[name] == getattr(node, name) for name in parts)
    return node if same else replace(node, **parts)  # type: ignore[type-var]


def _changed(node: object, change: Callable[..., object]) -> object:
    return change(_rewritten(node, change)) if is_dataclass(node) else node
