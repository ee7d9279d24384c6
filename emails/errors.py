"""What can be wrong with a letter, each with the sentence its author reads."""


class LetterError(ValueError):
    """The parent of everything this package refuses."""


class SourceError(LetterError):
    """A mistake in what was typed, at a line (counted from 1) of the text that was handed in."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"Line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


class FrontMatterError(SourceError):
    """The block between the --- lines cannot be read."""


class DocumentError(SourceError):
    """The Markdown cannot become a post."""


class UnsupportedAddress(LetterError):
    """This address cannot be written in a message that every mail server accepts."""


class UnsafeHeader(LetterError):
    """A value that would break out of its header, or make it unreadable."""
