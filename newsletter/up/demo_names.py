"""What the readers of the demo are called."""

import unicodedata

# A first name, and how its owner writes it in an address.
FIRST = [
    *("Ada ada", "Grace grace", "Zoë zoe", "Søren soren", "José jose", "Łukasz lukasz", "Þóra thora", "Chloé chloe"),
    *("Ayşe ayse", "Anne-Marie anne-marie", "Björn bjorn", "Nguyễn nguyen", "Élodie elodie", "Siobhán siobhan"),
    *("João joao", "Žofia zofia", "李 li", "さくら sakura", "Анна anna", "Ελένη eleni", "محمد mohamed", "שירה shira"),
    *("अनिल anil", "지우 jiwoo", "Linus linus", "Mary mary", "Kofi kofi", "Mairéad mairead"),
]

LAST = [
    *("Lovelace", "Hopper", "O'Brien", "Brontë", "Muñoz", "Kowalska", "van der Berg", "D’Angelo", "Šimić"),
    *("Ó Súilleabháin", "Müller", "Åkesson", "Okafor", "Thị Hương", "Fernández", "Lindgren", "Tanaka", "Nuñez"),
    *("Achebe", "Wójcik"),
]

# Names that break letters elsewhere: formulas, markup, merge marks, quotes, a very long one, none at all.
HOSTILE = [
    *("", "=cmd|' /C calc'!A0", "<b>Bobby</b> & Co", "Robert'); DROP TABLE subscriber;--", "{name}", "🦉 Owl"),
    *("__UNSUBSCRIBE_URL__", '"Quoted", Inc.', "%s %d %n", "Zoë “Zo” Æther", "\\ backslash \\", "@everyone"),
    *("x" * 100, "O'", "null", "0"),
]


def handle(name: str) -> str:
    """A name as its owner writes it in an address: "Ó Súilleabháin" becomes "osuilleabhain"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalpha() or letter == "'")
