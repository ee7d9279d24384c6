"""An S3-compatible server that keeps what it is given in memory, and notes how it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Bucket:
    """Objects by path, as `/bucket/folder/name`."""

    address: str = ""
    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    refuses_with: int = 0  # a status that every request gets

    def media_url(self, folder: str = "letters") -> str:
        return f"s3://AKEXAMPLE:se%2Fcret@pictures/{folder}?endpoint={self.address}&region=eu-central-1"


@contextmanager
def running() -> Iterator[Bucket]:
    bucket = Bucket()
    server = _Server(bucket)
    bucket.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, bucket: Bucket) -> None:
        super().__init__(("127.0.0.1", 0), _Door)
        self.bucket = bucket


class _Door(BaseHTTPRequestHandler):
    server: _Server

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self._note():
            self.server.bucket.objects[self.path] = (
                content,
                {name.lower(): value for name, value in self.headers.items()},
            )
            self._answer(200, b"", {"ETag": '"1"'})

    def do_GET(self) -> None:
        if not self._note():
            return
        if self.path not in self.server.bucket.objects:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        content, headers = self.server.bucket.objects[self.path]
        self._answer(200, content, {"ETag": '"1"', "Content-Type": headers["content-type"]})

    def _note(self) -> bool:
        self.server.bucket.asked.append(
            (self.command, self.path, {name.lower(): v for name, v in self.headers.items()})
        )
        if self.server.bucket.refuses_with:
            self._answer(self.server.bucket.refuses_with, b"<Error><Code>No</Code></Error>")
        return not self.server.bucket.refuses_with

    def _said(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        said = {"Last-Modified": formatdate(usegmt=True), "Connection": "close", **(headers or {})}
        for name, value in {**said, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Quiet."""
