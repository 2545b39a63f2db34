"""The one entry of the web server: live streams and uploads are async, every page runs in a thread.

Pages measured 1.3 to 1.9 times faster under WSGI than as sync views under ASGI (docs/adr); streams and slow
uploads would hold those threads, so they go to Django's ASGI handler.
"""

import os
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

ASYNC_PATHS = ("/live/", "/upload/")
# One database connection each: web processes x THREADS + streams' checks + jobs < max_connections.
THREADS = 16

streams = get_asgi_application()
pages = WSGIMiddleware(get_wsgi_application(), workers=THREADS)  # type: ignore[arg-type]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Send an ASGI request to its handler; `lifespan` and websockets (refused) are the pages' too."""
    if scope["type"] == "http" and scope["path"].startswith(ASYNC_PATHS):
        await streams(scope, receive, send)
    else:
        await pages(scope, receive, send)
