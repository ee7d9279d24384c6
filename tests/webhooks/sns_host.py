"""A server on this machine that calls itself an SNS server of Amazon's, with a certificate that only tests believe."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from newsletter.webhooks.amazon import Amazon
from tests.webhooks.openssl import Signer

HOST = "sns.eu-central-1.amazonaws.com"


class SnsHost:
    def __init__(self, tls: Signer) -> None:
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.redirects: dict[str, str] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(tls.certificate), str(tls.key))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self._believed = str(tls.certificate)

    def amazon(self, *, is_believed: bool = True) -> Amazon:
        """Our side of the line to this server."""
        context = ssl.create_default_context(cafile=self._believed if is_believed else None)
        return Amazon(context, ("127.0.0.1", self._server.server_address[1]))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append(f"{self.headers['Host']}{self.path}")
                status, content = host.answers.get(self.path, (404, b"no such thing"))
                if self.path in host.redirects:
                    status = 302
                self.send_response(status)
                if self.path in host.redirects:
                    self.send_header("Location", host.redirects[self.path])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        return Handler
