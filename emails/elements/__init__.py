"""What an author can ask for by name. One file for each family; a new element needs nothing but its class and its
place in this list: the parser, the three renderings and the proof that they say the same learn of it from here."""

from emails.directives import Elements
from emails.elements.boxes import Callout, PullQuote, Sponsor, Toggle
from emails.elements.buttons import Button, Comment, Gift, Like, Reply, Share
from emails.elements.calls import Subscribe, Upgrade
from emails.elements.cards import Card
from emails.elements.embeds import Embed
from emails.elements.formulae import Formulae
from emails.elements.galleries import Gallery
from emails.elements.markup import RawHtml
from emails.elements.players import Audio, Video
from emails.elements.polls import Poll
from emails.elements.products import Product
from emails.elements.reach import Only, Paywall
from emails.elements.series import Series

ALL = (
    Audio,
    Button,
    Callout,
    Card,
    Comment,
    Embed,
    Formulae,
    Gallery,
    Gift,
    Like,
    Only,
    Paywall,
    Poll,
    Product,
    PullQuote,
    RawHtml,
    Reply,
    Series,
    Share,
    Sponsor,
    Subscribe,
    Toggle,
    Upgrade,
    Video,
)
ELEMENTS = Elements(ALL)

__all__ = [
    "ALL",
    "ELEMENTS",
    "Audio",
    "Button",
    "Callout",
    "Card",
    "Comment",
    "Embed",
    "Formulae",
    "Gallery",
    "Gift",
    "Like",
    "Only",
    "Paywall",
    "Poll",
    "Product",
    "PullQuote",
    "RawHtml",
    "Reply",
    "Series",
    "Share",
    "Sponsor",
    "Subscribe",
    "Toggle",
    "Upgrade",
    "Video",
]
