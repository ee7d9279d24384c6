"""The one base of every refusal a person can act on."""


class NewsletterError(Exception):
    """Carries a sentence for the person who can act on it. Subclasses live next to the function that raises them."""

    status = 400

    @property
    def sentence(self) -> str:
        return str(self)


class NotFound(NewsletterError):
    status = 404
