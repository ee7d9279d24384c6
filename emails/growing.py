"""The parser's tokens into our own nodes."""

import re
from collections.abc import Sequence

from markdown_it.tree import SyntaxTreeNode

from emails.directives import Said
from emails.document import (
    Block,
    Break,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Field,
    Figure,
    Formula,
    Heading,
    Image,
    Inline,
    Item,
    Link,
    Listing,
    Mention,
    NoteReference,
    Paragraph,
    Quote,
    Row,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    plain,
)
from emails.elements import ELEMENTS, Formulae
from emails.formulas import BadFormula, in_words, mathml
from emails.targets import normal

_SIZE = re.compile(r"\{\s*((?:(?:width|height)=\"?\d{1,4}\"?\s*)+)\}")
_WIDE_SIGNS = "，。、；：！？（）「」『』【】《》〈〉"  # no blank stands between an address and these
_ADDRESS = re.compile(rf"\bhttps?://[^\s<>\"{_WIDE_SIGNS}]*[^\s<>\".,;:!?'’”)\]}}*_{_WIDE_SIGNS}]", re.IGNORECASE)
_OURS = re.compile(r"fn(ref)?-\d")
_TASK = re.compile(r"\[([ xX])\] +")
_PRICE = re.compile(r"\d[\d.,]*\s+[^\W\d_]{2,}")
_SOURCE = re.compile(r"(—|–|--) *")
_TITLE = re.compile(r"title=\"([^\"]*)\"|title=(\S+)")


class Grower:
    """Turns tokens into nodes; remembers heading ids and how often each note was pointed at."""

    def __init__(self, tree: SyntaxTreeNode) -> None:
        levels = [int(node.tag[1]) for node in tree.walk() if node.type == "heading"]
        self._lift = 2 - min(levels, default=2)  # the title is the h1: the highest heading typed becomes an h2
        self._level = 1
        self._ids: set[str] = set()
        self.references: dict[int, int] = {}

    def blocks(self, nodes: Sequence[SyntaxTreeNode]) -> tuple[Block, ...]:
        return tuple(block for node in nodes if (block := self._block(node)) is not None)

    def _block(self, node: SyntaxTreeNode) -> Block | None:  # one line per kind of block
        line = node.map[0] + 1 if node.map else 0
        match node.type:
            case "heading":
                return self._heading(node, line)
            case "paragraph":
                return self._paragraph(node, line)
            case "bullet_list" | "ordered_list":
                return self._listing(node, line)
            case "blockquote":
                return self._quote(node, line)
            case "fence" | "code_block":
                return _code_block(node, line)
            case "hr":
                return Rule(line)
            case "table":
                return self._table(node, line)
            case "math_block":
                return Formulae.read(Said("math", line, raw=node.content))
            case "directive":
                return self._directive(node, line)
        return None

    def _directive(self, node: SyntaxTreeNode, line: int) -> Block:
        meta = node.meta
        blocks = self.blocks(node.children)
        return ELEMENTS.read(Said(node.info, line, node.content, meta["fields"], blocks, meta["raw"]))

    def _heading(self, node: SyntaxTreeNode, line: int) -> Heading:
        children = self._inline(node.children[0])
        self._level = min(int(node.tag[1]) + self._lift, self._level + 1, 6)
        return Heading(self._level, self._id(plain(children)), children, line)

    def _id(self, words: str) -> str:
        slug = re.sub(r"[^\w]+", "-", words.lower().replace("’", "").replace("'", "")).strip("-_")[:60].rstrip("-")
        if not slug or _OURS.match(slug):
            slug = f"section-{slug}".rstrip("-")
        unique, count = slug, 1
        while unique in self._ids:
            count += 1
            unique = f"{slug}-{count}"
        self._ids.add(unique)
        return unique

    def _paragraph(self, node: SyntaxTreeNode, line: int) -> Block | None:
        children = self._inline(node.children[0])
        match children:
            case (Image() as image,):
                return Figure(image, line=line)
            case (Link(url, (Image() as image,)),):
                return Figure(image, url, line)
        return Paragraph(children, line) if children else None

    def _listing(self, node: SyntaxTreeNode, line: int) -> Listing:
        first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
        items = tuple(
            _item(self.blocks(item.children), item.map[0] + 1 if item.map else line) for item in node.children
        )
        paragraphs = [child for item in node.children for child in item.children if child.type == "paragraph"]
        return Listing(items, first, all(paragraph.hidden for paragraph in paragraphs), line)

    def _quote(self, node: SyntaxTreeNode, line: int) -> Quote:
        """Its last line may say whose words these are: “— Ada, *Notes*”."""
        blocks = self.blocks(node.children)
        if not blocks or not isinstance(last := blocks[-1], Paragraph):
            return Quote(blocks, line=line)
        words = node.children[-1].children[0].children
        ends = [0, *(at + 1 for at, child in enumerate(words) if child.type in ("softbreak", "hardbreak"))]
        if len(blocks) == 1 and len(ends) == 1:
            return Quote(blocks, line=line)
        source = self._grown(words[ends[-1] :])
        match source:
            case (Text(text), *others) if (mark := _SOURCE.match(text)) and text[mark.end() :] + "".join(
                map(str, others)
            ):
                begun = self._grown(words[: max(ends[-1] - 1, 0)])
                kept = (*blocks[:-1], *((Paragraph(begun, last.line),) if begun else ()))
                return Quote(kept, _joined([Text(text[mark.end() :]), *others]), line)
        return Quote(blocks, line=line)

    def _table(self, node: SyntaxTreeNode, line: int) -> Table:
        head, *body = node.children
        sides = tuple(
            str(cell.attrs.get("style", "")).removeprefix("text-align:") for cell in head.children[0].children
        )
        rows = tuple(self._row(row) for part in body for row in part.children)
        return Table(self._row(head.children[0]), rows, sides, line)

    def _row(self, node: SyntaxTreeNode) -> Row:
        return Row(tuple(Cell(self._inline(cell.children[0]) if cell.children else ()) for cell in node.children))

    def _inline(self, node: SyntaxTreeNode, in_link: bool = False) -> tuple[Inline, ...]:
        return self._grown(node.children, in_link)

    def _grown(self, nodes: Sequence[SyntaxTreeNode], in_link: bool = False) -> tuple[Inline, ...]:
        grown: list[Inline] = []
        for child in nodes:
            if child.type == "text" and grown and isinstance(grown[-1], Image):
                grown[-1], rest = _sized(grown[-1], child.content)
                grown += _text(rest, in_link)
            else:
                grown += self._leaf(child, in_link)
        return _joined(grown)

    def _leaf(self, node: SyntaxTreeNode, in_link: bool) -> list[Inline]:  # noqa: C901  # one line per kind
        match node.type:
            case "text" | "text_special":
                return _text(node.content, in_link)
            case "softbreak":
                return [Text(" ")]
            case "hardbreak":
                return [Break()]
            case "code_inline":
                return [Code(node.content)]
            case "em":
                return [Emphasis(self._inline(node, in_link))]
            case "strong":
                return [Strong(self._inline(node, in_link))]
            case "s":
                return [Strike(self._inline(node, in_link))]
            case "math_inline":
                return [_formula(node.content.strip())]
            case "link":
                return self._link(node, in_link)
            case "image":
                return [_image(node)]
            case "field":
                return [Field(node.meta["name"], node.meta["fallback"])]
            case "footnote_ref":
                return [self._reference(node)]
        return []

    def _link(self, node: SyntaxTreeNode, in_link: bool) -> list[Inline]:
        children = self._inline(node, in_link=True)
        if node.meta.get("is_mention"):
            return [Mention(str(node.attrs["href"]), plain(children))]
        url = str(node.attrs["href"])
        if plain(children) == url and url.lower().startswith("mailto:"):
            children = (Text(url[len("mailto:") :]),)
        return list(children) if in_link else [Link(url, children)]

    def _reference(self, node: SyntaxTreeNode) -> NoteReference:
        number = node.meta["id"] + 1
        self.references[number] = self.references.get(number, 0) + 1
        return NoteReference(number, self.references[number])


def _code_block(node: SyntaxTreeNode, line: int) -> CodeBlock:
    language, _, rest = node.info.strip().partition(" ")
    title = _TITLE.search(rest)
    return CodeBlock(node.content.rstrip("\n"), language, (title[1] or title[2] or "") if title else "", line)


def _item(blocks: tuple[Block, ...], line: int) -> Item:
    """One that begins with [ ] or [x] is a task."""
    match blocks:
        case (Paragraph((Text(text), *others)) as first, *more) if mark := _TASK.match(text):
            rest = text[mark.end() :]
            words = (*((Text(rest),) if rest else ()), *others)
            return Item((Paragraph(words, first.line), *more), mark[1] != " ", line)
    return Item(blocks, line=line)


def _formula(tex: str) -> Formula | Text:
    """What is no formula was meant as it stands: prices are written with the same sign."""
    if _PRICE.match(tex):
        return Text(f"${tex}$")
    try:
        mathml(tex)
        in_words(tex)
    except BadFormula:
        return Text(f"${tex}$")
    return Formula(tex)


def _image(node: SyntaxTreeNode) -> Image:
    return Image(str(node.attrs["src"]), node.content, caption=str(node.attrs.get("title", "")))


def _sized(image: Image, text: str) -> tuple[Image, str]:
    """`![alt](url){width=600 height=400}`: the size follows the image."""
    match = _SIZE.match(text)
    if not match:
        return image, text
    size = {name: int(number) for name, number in re.findall(r"(width|height)=\"?(\d+)", match[1])}
    sized = Image(image.url, image.alt, size.get("width") or None, size.get("height") or None, image.caption)
    return sized, text[match.end() :]


def _text(text: str, in_link: bool) -> list[Inline]:
    """Text, with bare web addresses made into links."""
    if in_link or "://" not in text:
        return [Text(text)] if text else []
    grown: list[Inline] = []
    at = 0
    for match in _ADDRESS.finditer(text):
        url = match[0]
        if url.count("(") > url.count(")") and text[match.end() : match.end() + 1] == ")":
            url += ")"
        grown += [Text(text[at : match.start()]), Link(normal(url), (Text(url),), as_typed=True)]
        at = match.start() + len(url)
    return [node for node in [*grown, Text(text[at:])] if node != Text("")]


def _joined(nodes: list[Inline]) -> tuple[Inline, ...]:
    joined: list[Inline] = []
    for node in nodes:
        if isinstance(node, Text) and joined and isinstance(joined[-1], Text):
            joined[-1] = Text(joined[-1].text + node.text)
        else:
            joined.append(node)
    return tuple(joined)
