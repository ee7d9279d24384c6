"""Where pictures lie: a folder of ours, or a bucket at an S3-compatible provider. One setting decides."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

from newsletter.config import settings
from newsletter.errors import NewsletterError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

TYPES: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"  # a changed picture gets a new name
_PATIENCE: Final = timedelta(seconds=10)  # a page waits for this, and a person for the page


class StorageAway(NewsletterError):
    status = 503

    def __init__(self) -> None:
        super().__init__("The storage for pictures does not answer as it should (MEDIA_URL). Try again in a minute.")


def put(name: str, content: bytes) -> None:
    """Keep a file under a name that is never used for anything else. Doing it twice is harmless."""
    import obstore
    from obstore.exceptions import BaseError

    try:
        where = _here()
        said = {"Content-Type": content_type(name), "Cache-Control": FOR_EVER} if where.is_bucket else None
        obstore.put(where.store, name, content, attributes=said)
    except (BaseError, OSError) as error:
        raise StorageAway from error


def get(name: str) -> bytes | None:
    import obstore
    from obstore.exceptions import BaseError

    try:
        return obstore.get(_here().store, name).bytes().to_bytes()
    except FileNotFoundError:
        return None
    except (BaseError, OSError) as error:
        raise StorageAway from error


def url(name: str) -> str:
    """Where anybody may fetch it: from us, or from what stands before the storage."""
    here = settings()
    return f"{here.media_base_url or f'{here.site_url}/media'}/{name}"


def content_type(name: str) -> str:
    return TYPES[name.rsplit(".", 1)[-1]]


class _Where:
    def __init__(self, store: ObjectStore, *, is_bucket: bool) -> None:
        self.store = store
        self.is_bucket = is_bucket


def _here() -> _Where:
    return _where(settings().media_url.get_secret_value(), settings().data_dir / "media")


@cache
def _where(media_url: str, usual: Path) -> _Where:
    """Made at the first use: the library is large, and its threads do not survive the fork of a worker."""
    from obstore.store import LocalStore

    if media_url.startswith("s3:"):
        return _Where(_bucket(media_url), is_bucket=True)
    folder = Path(unquote(urlsplit(media_url).path)) if media_url else usual
    return _Where(LocalStore(folder.absolute(), mkdir=True), is_bucket=False)


def _bucket(media_url: str) -> ObjectStore:
    from obstore.store import S3Store

    parts = urlsplit(media_url)
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    config: S3Config = {"region": said.get("region", "us-east-1")}
    if "endpoint" in said:
        config["endpoint"] = said["endpoint"]
        config["virtual_hosted_style_request"] = said.get("style") == "host"
    if parts.username:  # else from the machine: AWS_ACCESS_KEY_ID, or the role it runs in
        config["access_key_id"] = unquote(parts.username)
        config["secret_access_key"] = unquote(parts.password or "")
    client: ClientConfig = {
        "timeout": _PATIENCE,
        "connect_timeout": timedelta(seconds=3),
        "allow_http": said.get("endpoint", "").startswith("http://"),
    }
    retry: RetryConfig = {"max_retries": 2, "retry_timeout": _PATIENCE}
    return S3Store(
        parts.hostname or "",
        prefix=unquote(parts.path).strip("/") or None,
        config=config,
        client_options=client,
        retry_config=retry,
    )
