"""The till as a server on this machine: python -m newsletter.up.till.serve --port 8041 --key sk_test_practice"""

import argparse
import json
import queue
import threading
import urllib.error
import urllib.request

from flask import Flask
from stripe import WebhookSignature
from werkzeug.serving import BaseWSGIServer, make_server

from newsletter.up.till import api, pages
from newsletter.up.till.state import Thing, Till

TRIES = 3


def application(key: str) -> Flask:
    app = Flask("till")
    app.config.update(TILL=Till(), KEY=key)
    app.register_blueprint(api.bp)
    app.register_blueprint(pages.bp)
    return app


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
    """What is posted, and its signature."""
    body = json.dumps({key: value for key, value in event.items() if not key.startswith("_")})
    return body, WebhookSignature.generate_signature_header(body, secret)


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
    asked = parser.parse_args()
    app = application(asked.key)
    Bells(app.config["TILL"])
    make_server("127.0.0.1", asked.port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
