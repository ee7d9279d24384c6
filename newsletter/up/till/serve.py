"""The till as a server on this machine: python -m newsletter.up.till.serve --port 8041 --key sk_test_practice"""

import argparse
import hmac
import json
import queue
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from flask import Flask, request
from werkzeug.serving import BaseWSGIServer, make_server

from newsletter.up.till import api, pages, past
from newsletter.up.till.state import Thing, Till

TRIES = 3
A_LOOK = 60.0  # seconds between looks at what has become due


def application(key: str, held: Path | None = None) -> Flask:
    """`held` is a file that keeps what the till holds, from one start to the next."""
    app, till = Flask("till"), Till()
    app.config.update(TILL=till, KEY=key)
    app.register_blueprint(api.bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(past.bp)
    if held:
        if held.exists():
            till.read(held.read_text())
        app.teardown_request(lambda _: None if request.method == "GET" else hold(till, held))
    return app


def hold(till: Till, held: Path) -> None:
    with till.lock:
        written = held.with_suffix(".new")
        written.write_text(till.written())
        written.replace(held)


class Days:
    """What becomes due while the till stands open is lived through by itself, from a thread of its own."""

    def __init__(self, till: Till, held: Path | None, every: float = A_LOOK) -> None:
        self._till, self._held, self._every = till, held, every
        self._stopped = threading.Event()
        threading.Thread(target=self._pass, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _pass(self) -> None:
        while not self._stopped.wait(self._every):
            with self._till.lock:
                has_lived = self._till.live()
            if has_lived and self._held:
                hold(self._till, self._held)


class Bells:
    """Rings at every webhook that was made, in the order in which things happened, from a thread of its own."""

    def __init__(self, till: Till) -> None:
        self._till = till
        self._waiting: queue.Queue[Thing] = queue.Queue()
        till.ring = self._waiting.put
        threading.Thread(target=self._ring, daemon=True).start()

    def _ring(self) -> None:
        while True:
            event = self._waiting.get()
            for endpoint in self._till.all("webhook_endpoint"):
                if event["type"] in endpoint["enabled_events"]:
                    self._call(endpoint["url"], endpoint["secret"], event)

    @staticmethod
    def _call(url: str, secret: str, event: Thing) -> None:
        body, signature = signed(event, secret)
        for _ in range(TRIES):
            asked = urllib.request.Request(url, body.encode(), {"Stripe-Signature": signature})  # noqa: S310  # ours
            try:
                with urllib.request.urlopen(asked, timeout=10):  # noqa: S310
                    return
            except urllib.error.URLError:
                continue


def signed(event: Thing, secret: str) -> tuple[str, str]:
    """What is posted, and its signature: docs.stripe.com/webhooks, “Verify webhook signatures manually”."""
    body = json.dumps({key: value for key, value in event.items() if not key.startswith("_")})
    at = int(time.time())
    proof = hmac.new(secret.encode(), f"{at}.{body}".encode(), "sha256").hexdigest()
    return body, f"t={at},v1={proof}"


def start(key: str, port: int = 0) -> tuple[BaseWSGIServer, Till]:
    """Serves from a thread until `shutdown()`."""
    app = application(key)
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    till: Till = app.config["TILL"]
    return server, till


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--held", type=Path)
    asked = parser.parse_args()
    app = application(asked.key, asked.held)
    Bells(app.config["TILL"])
    Days(app.config["TILL"], asked.held)
    make_server("127.0.0.1", asked.port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
