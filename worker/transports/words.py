"""What others said, made fit for a page, a log line and a column."""


def plainly(error: Exception) -> str:
    """What went wrong with a connection, for a person."""
    if isinstance(error, TimeoutError | BlockingIOError):
        return "no answer in time."
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there."
    return readable(str(error) or type(error).__name__)[:300]


def readable(text: str) -> str:
    """On one line, without the control characters that a page cannot show and PostgreSQL does not take."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
