"""`manage.py web`: the web server of one process."""

import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from relais.core import certificate, lifeline

STREAMS_END = 3  # seconds that open pages and streams get at the end; streams reconnect elsewhere


class Command(BaseCommand):
    help = "Serve the site on PORT of the loopback, or on sockets inherited from a supervisor."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fd", type=int, action="append", default=[], help="an inherited, listening socket")

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.follow()
        if settings.PRODUCTION:
            self.check(databases=["default"])  # such as: no synthetic account that can sign in
            if not Path(str(settings.STATIC_ROOT), "staticfiles.json").exists():
                sys.exit(
                    f"Relais: {settings.STATIC_ROOT} has no static files: run manage.py collectstatic, then start."
                )
        tls: dict[str, Any] = {}
        if settings.ENV["HTTPS"]:
            chain, key = certificate.ensure(settings.HOME)
            tls = {"ssl_certfile": str(chain), "ssl_keyfile": str(key)}
        config = uvicorn.Config(
            "config.asgi:application",
            port=settings.ENV["PORT"],
            proxy_headers=settings.ENV["TRUSTED_PROXY"],
            server_header=False,
            access_log=False,  # addresses of pages name patients' files
            log_config=None,
            timeout_graceful_shutdown=STREAMS_END,
            **tls,
        )
        server = uvicorn.Server(config)
        server.run(sockets=[socket.socket(fileno=number) for number in options["fd"]] or None)
