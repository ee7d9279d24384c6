"""newsletter settings: the page docs/settings.md, made from the settings themselves."""

import click
from pydantic.fields import FieldInfo

from newsletter.config import Settings

_HEAD = """\
# Settings

Newsletter reads its settings from the environment, once, at the start. What is missing or wrong stops the start, with
one line for each fault. `newsletter up` and `newsletter demo` make what is missing for this machine.

This page is made by `newsletter settings` from `newsletter/config.py`.
"""

_PROCFILE = """\
## Read by the Procfile

| Variable | Default | Meaning |
| --- | --- | --- |
| `LISTEN` | `127.0.0.1` | Address that the web process listens on; put a reverse proxy before it. |
| `PORT` | `8000` | Port of the web process. |
| `WEB_CONCURRENCY` | `2` | Web processes. |
| `WEB_THREADS` | `8` | Threads in each of them. |
| `WORKER_CONCURRENCY` | `2` | Processes that send mail. Each opens four connections, or as `MAIL_URL` says. |
"""


@click.command("settings")
def show() -> None:
    """Print what can be set by environment variables, as Markdown."""
    click.echo(page(), nl=False)


def page() -> str:
    fields = Settings.model_fields.items()
    required = [_section(name, field) for name, field in fields if field.is_required()]
    optional = [_section(name, field) for name, field in fields if not field.is_required()]
    return "\n".join([_HEAD, "## Must be set\n", *required, "## May be set\n", *optional, _PROCFILE])


def _section(name: str, field: FieldInfo) -> str:
    default = "" if field.is_required() else f" ({_default(field.default)})"
    return f"### {name.upper()}{default}\n\n{field.description}\n"


def _default(value: object) -> str:
    if value in (None, ()):
        return "not set"
    return f"`{str(value).lower() if isinstance(value, bool) else value}` unless set"
