"""gunicorn's lines in our form: `gunicorn --logger-class newsletter.access_log.Logger`, as the Procfile says.

With `--access-logfile -` there is a line for each request: no network address, no query, and no token in its path.
"""

from datetime import timedelta
from typing import Any

import structlog
from gunicorn.config import Config
from gunicorn.glogging import Logger as GunicornLogger

from newsletter import logs
from newsletter.config import settings

log = structlog.get_logger()


class Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn ships no types
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        logs.configure(settings())
        for logger in (self.error_log, self.access_log):
            logger.handlers[:] = [logs.handler(settings())]
            logger.propagate = False

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:  # noqa: ARG002
        """One request. Any: gunicorn's own response and request, which have no types."""
        if not self.cfg.accesslog:
            return
        log.info(
            "request",
            method=environ.get("REQUEST_METHOD", ""),
            path=logs.masked_path(environ.get("RAW_URI", "")),
            status=str(resp.status).split(" ", 1)[0],
            bytes=getattr(resp, "sent", 0),
            milliseconds=round(request_time.total_seconds() * 1000, 1),
        )
