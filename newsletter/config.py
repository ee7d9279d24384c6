"""Settings from the environment: read once, typed, and checked before anything starts."""

from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from newsletter.errors import NewsletterError


class BadSettings(NewsletterError):
    """The environment cannot be used as it is; says which variable and why."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    secret_key: SecretStr = Field(
        description="Signs every link and session. At least 32 characters; keep it for as long as mail with your links "
        "is around. `newsletter up` makes one in DATA_DIR."
    )
    secret_key_fallbacks: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Earlier secret keys, comma-separated, newest first. Links signed with them go on working; keep "
        "the oldest for ever, for it recognises the addresses that are never written to again.",
    )
    database_url: str = Field(description="PostgreSQL 15 or newer: `postgresql://user:password@host/name`.")
    redis_url: str = Field(description="Redis 7, Valkey 8 or newer: `redis://:password@host:6379/0`.")
    mail_url: str = Field(
        description="Where mail leaves: `smtp://user:password@host:587` or `smtps://user:password@host:465`. TLS is "
        "verified and required, except to a relay on this machine (`smtp://127.0.0.1:25`) or with `?tls=none`."
    )
    site_url: str = Field(description="The public address, without a slash at the end: `https://letters.example.org`.")
    data_dir: Path = Field(default=Path("var"), description="Folder for the delivery journal and local files.")
    inbox_dir: Path | None = Field(
        default=None,
        description="Folder of the local inbox; when set, the site shows it at /inbox. For trying out only.",
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=5,
        description="How many reverse proxies of yours stand in front of the web process. X-Forwarded-For is believed "
        "for that many hops and ignored otherwise.",
    )
    session_days: int = Field(default=30, ge=1, le=365, description="How long a sign-in to the desk lasts.")
    password_memory_kib: int = Field(
        default=65536, ge=8, description="Memory that one password hash costs (argon2id), in KiB."
    )
    smtp_timeout: float = Field(
        default=60.0,
        gt=0,
        description="Seconds to wait for the mail server at each step but the last (which has 600).",
    )
    lease_seconds: int = Field(
        default=60,
        ge=4,
        le=600,
        description="How long a worker may hold its chunk of a mailing without a sign of life.",
    )
    log_json: bool = Field(default=False, description="Logs as JSON lines instead of readable text.")

    @field_validator("secret_key")
    @classmethod
    def long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        if "," in value.get_secret_value():
            raise ValueError("must not contain a comma: earlier keys are listed with commas")
        return value

    @field_validator("secret_key_fallbacks", mode="before")
    @classmethod
    def split_at_commas(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def postgresql_by_psycopg(cls, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise ValueError("must be a postgresql:// address")
        return f"postgresql+psycopg://{rest}"

    @field_validator("redis_url")
    @classmethod
    def redis(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"redis", "rediss"}:
            raise ValueError("must be a redis:// or rediss:// address")
        return value

    @field_validator("mail_url")
    @classmethod
    def smtp(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"smtp", "smtps"} or not urlsplit(value).hostname:
            raise ValueError("must be an smtp:// or smtps:// address")
        return value

    @field_validator("site_url")
    @classmethod
    def absolute(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).hostname:
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/")

    @property
    def is_https(self) -> bool:
        return self.site_url.startswith("https://")

    @property
    def site_host(self) -> str:
        return urlsplit(self.site_url).hostname or "localhost"

    @property
    def all_secret_keys(self) -> tuple[str, ...]:
        """The key that signs, then those that are still believed."""
        return tuple(key.get_secret_value() for key in (self.secret_key, *self.secret_key_fallbacks))


@cache
def settings() -> Settings:
    """The settings of this process. Raises BadSettings with one line per fault."""
    return read_settings()


def read_settings(**given: object) -> Settings:
    try:
        return Settings(**given)  # type: ignore[arg-type]  # what is not given comes from the environment
    except ValidationError as error:
        faults = [f"{fault['loc'][0]}".upper() + f": {_plain(fault['msg'])}" for fault in error.errors()]
        raise BadSettings("These settings are missing or wrong:\n  " + "\n  ".join(faults)) from None


def _plain(message: str) -> str:
    return "is not set" if message == "Field required" else message.removeprefix("Value error, ")
