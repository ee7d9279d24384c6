"""Settings from the environment: read once, typed, and checked before anything starts."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from newsletter import limits, relays
from newsletter.errors import NewsletterError

WAYS_OUT = ("smtp", "smtps", "files", "ses", "postmark", "mailgun", "resend")


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
        "verified and required, except to a relay on this machine (`smtp://127.0.0.1:25`) or with `?tls=none`. Other "
        "ways out: `files:/folder` (a Maildir), `ses://key:secret@region`, `postmark://token@`, "
        "`mailgun://key@domain`, `resend://key@`. Several of them, separated by spaces, share the work by `?weight=2` "
        "and stand in for each other (with `?weight=0` only then). Each may carry `?connections=4` (in each worker "
        "process) and limits: `?per_second=50&per_hour=10000&per_day=100000`."
    )
    site_url: str = Field(description="The public address, without a slash at the end: `https://letters.example.org`.")
    data_dir: Path = Field(default=Path("var"), description="Folder for the delivery journal and local files.")
    media_url: SecretStr = Field(
        default=SecretStr(""),
        description="Where pictures lie: empty for the folder `media` in DATA_DIR, `files:/folder` for another one, "
        "`s3://key:secret@bucket/folder?endpoint=https://host&region=eu-central-1` for a bucket at any S3-compatible "
        "provider (docs/pictures.md). Web and worker must reach the same.",
    )
    media_base_url: str = Field(
        default="",
        description="The public address of what lies at MEDIA_URL, such as that of a CDN before it: "
        "`https://pictures.example.org`. Without it the site itself shows pictures, at /media.",
    )
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
    bounce_domain: str = Field(
        default="",
        description="The domain that bounces come back to, `bounces.example.org`: its MX leads to a way in of ours "
        "(docs/bounces.md), and each message has a return path of its own. Without it they go to the sender's mailbox.",
    )
    imap_url: SecretStr | None = Field(
        default=None,
        description="A mailbox to fetch bounces, complaints and replies from, once a minute: "
        "`imaps://user:password@host/INBOX`.",
    )
    destination_limits: str = Field(
        default="",
        description="Limits for groups of receiving mail servers, over all relays: "
        "`google: 20/s 5000/h; microsoft: 5/s 10000/d`. Groups: google, microsoft, yahoo, apple, or a domain.",
    )
    warm_up_since: date | None = Field(
        default=None,
        description="The first day of a new sending address, `2026-11-30`: until it is known, only so many messages "
        "a day leave, more each day (docs/delivery.md).",
    )
    dkim_key: Path | None = Field(
        default=None,
        description="File with the private key (PEM, RSA) that signs every message. Without it the mail server signs.",
    )
    dkim_selector: str = Field(default="", description="The selector under which the public key is in the DNS.")
    dkim_ed25519_key: Path | None = Field(
        default=None, description="File with a second private key (PEM, Ed25519), for receivers that know it."
    )
    dkim_ed25519_selector: str = Field(default="", description="The selector of the second key.")
    postfix_log: Path | None = Field(
        default=None,
        description="The log of your own Postfix on this machine (`maillog_file`, with `enable_long_queue_ids = yes`): "
        "it tells whether a message was accepted when the connection broke before the answer.",
    )
    settle_seconds: int = Field(
        default=900,
        ge=1,
        description="How long to wait before the log is asked: by then no connection of that time is open any more.",
    )
    doubts: Literal["hold", "resend"] = Field(
        default="hold",
        description="What becomes of messages that may or may not have left, when nobody can tell: `hold` them until "
        "the author decides, or `resend` them once, with the same Message-ID.",
    )
    ses_topics: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="The SNS topics whose word is believed, as ARNs, comma-separated."
    )
    postmark_hook_password: SecretStr | None = Field(
        default=None, description="The password (any user name) in the webhook address given to Postmark."
    )
    mailgun_hook_key: SecretStr | None = Field(default=None, description="Mailgun's webhook signing key.")
    sendgrid_hook_key: str = Field(default="", description="SendGrid's public key for signed event webhooks.")
    resend_hook_secret: SecretStr | None = Field(default=None, description="Resend's webhook secret, `whsec_…`.")
    billing: Literal["on", "off", "test"] = Field(
        default="on",
        description="Money from readers: `on` by the Stripe account that the author connects at the desk; `off` hides "
        "all of it; `test` by a practice till on this machine, where no money moves (docs/billing.md).",
    )
    till_url: str = Field(
        default="",
        description="Where the practice till of BILLING=test listens. `newsletter up` sets it.",
    )
    metrics_password: SecretStr | None = Field(
        default=None,
        description="Opens /metrics (Prometheus) to whoever sends it as a bearer token. Without it only requests from "
        "this machine are answered.",
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

    @field_validator("secret_key_fallbacks", "ses_topics", mode="before")
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
    def ways_out(cls, value: str) -> str:
        if not value.split():
            raise ValueError("must name a way out")
        for url in value.split():
            parts = urlsplit(url)
            if parts.scheme not in WAYS_OUT:
                raise ValueError(f"must be an smtp:// or smtps:// address, or begin with {', '.join(WAYS_OUT[2:])}")
            if parts.scheme in {"smtp", "smtps", "ses", "mailgun"} and not parts.hostname:
                raise ValueError(f"{parts.scheme}:// needs a host")
        relays.read_all(tuple(value.split()))
        return " ".join(value.split())

    @field_validator("destination_limits")
    @classmethod
    def limits_of_groups(cls, value: str) -> str:
        limits.of_destinations(value)
        return value

    @field_validator("media_url")
    @classmethod
    def folder_or_bucket(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in {"", "files", "s3"} or (parts.scheme == "" and parts.path):
            raise ValueError("must be empty, files:/folder or s3://key:secret@bucket?endpoint=https://host&region=name")
        if parts.scheme == "files" and not parts.path.startswith("/"):
            raise ValueError("files: needs a whole path, files:/folder")
        if parts.scheme == "s3" and not parts.hostname:
            raise ValueError("s3:// needs a bucket; a / in the secret is written as %2F")
        return value

    @field_validator("media_base_url")
    @classmethod
    def absolute_or_empty(cls, value: str) -> str:
        return cls.absolute(value) if value else value

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
    def mail_urls(self) -> tuple[str, ...]:
        return tuple(self.mail_url.split())

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
