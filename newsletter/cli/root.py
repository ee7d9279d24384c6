"""The frame of every command: what goes wrong ends as one sentence, and only a bug shows a traceback."""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

import click
from flask import has_app_context
from sqlalchemy.exc import OperationalError, ProgrammingError

from newsletter.config import BadSettings
from newsletter.errors import NewsletterError
from newsletter.up import borrowed

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Refusal(click.ClickException):
    """One sentence on standard error."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=file is None)


class BadSetup(Refusal):
    exit_code = 2


class Root(click.Group):
    """Exit status: 0 done, 1 refused or failed, 2 wrongly called or badly set up."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BadSettings as error:
            raise BadSetup(error.sentence) from None
        except NewsletterError as error:
            raise Refusal(error.sentence) from None
        except OperationalError as error:
            raise Refusal(f"The database does not answer: {_first_line(error)}") from None
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", "") in {"42P01", "42703"}:  # a table or column that is not there yet
                raise Refusal("The database is not up to date. Run: newsletter migrate") from None
            raise


def in_app(command: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Run a command with settings and database. What lacks this decorator works on a bare machine."""

    @functools.wraps(command)
    def inside(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        if has_app_context():
            return command(*args, **kwargs)
        _borrow_settings()
        from newsletter.app import create_app  # reads the settings: not before a command needs them

        with create_app().app_context():
            return command(*args, **kwargs)

    return inside


def _borrow_settings() -> None:
    """Typed beside a running demo, with no settings of one's own: use those of the demo, and say so."""
    if any(os.environ.get(name) for name in borrowed.NAMES):
        return
    lent = borrowed.borrow(Path("var"))
    if lent:
        os.environ.update(lent)
        click.echo("Using what runs in var/ here.", err=True)


def _first_line(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]
