"""The one entry of the web server: live streams and uploads are async, every page runs in a thread.

Pages measured 1.3 to 1.9 times faster under WSGI than as sync views under ASGI (docs/adr); streams and slow
uploads would hold those threads, so they go to Django's ASGI handler.
"""

import gc
import os
from typing import Any

from a2wsgi import WSGIMiddleware
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from config.body import Whole
from relais.files import handoff
from relais.files.gate import Gate

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# An answer is judged on a frame of some rows: handing it to threads costs more than it saves. The worker replays regions.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

# One database connection each: web processes x THREADS + streams' checks + jobs < max_connections.
THREADS = 16

streams = get_asgi_application()
uploads = Gate(streams)
pages = Whole(WSGIMiddleware(handoff.page(get_wsgi_application()), workers=THREADS))

# What is loaded now stays: searching it for garbage again and again took a tenth of an answer's processor.
gc.freeze()
gc.set_threshold(20_000, 20, 50)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Send an ASGI request to its handler; `lifespan` and websockets (refused) are the pages' too."""
    if scope["type"] != "http":
        await pages(scope, receive, send)
    elif scope["path"].startswith("/live/"):
        await streams(scope, receive, send)
    elif scope["path"].startswith("/upload/"):
        await uploads(scope, receive, send)
    else:
        await pages(scope, receive, handoff.sending(scope, send))
