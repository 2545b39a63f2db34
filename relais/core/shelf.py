"""What a device keeps for the days without network: the files of the pages that open then, and the worker that serves them."""

import json
import posixpath
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.templatetags.static import static

IN_PAGE = re.compile(r'(?:src|href)="([^"]+)"')
IN_SCRIPT = re.compile(r'(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"')
IN_STYLE = re.compile(r'url\("?([^")]+)"?\)')
NOW = re.compile(r'<meta name="relais-now"[^>]*>')
CHANGING = re.compile(r'name="(?:request_key|started_at)" value="[^"]*"')


def worker(*, name: str, page: str, shell: str, state: str = "") -> str:
    """The script of a service worker that keeps `page`, served at `shell`, with all the files that it needs.

    `name`: of the store of its pages (core/offline/store.js); `state`: see core/offline/worker.js. The page is the same for
    everybody, names nobody and holds no token.
    """
    files, script = files_of(page), static("core/offline/worker.js")
    still = CHANGING.sub("", NOW.sub("", page))  # a worker that changes is fetched anew, with all that it keeps
    version = sha256("".join([still, *files, *map(digest, [*files, script])]).encode()).hexdigest()[:16]
    given = {"name": name, "version": version, "files": files, "shell": shell, "state": state}
    return f"self.RELAIS = {json.dumps(given)};\nimportScripts({json.dumps(script)});\n"


def files_of(page: str) -> list[str]:
    """The addresses of the static files that a page needs, with what those need in turn."""
    prefix = settings.STATIC_URL
    waiting = [url[len(prefix) :] for url in IN_PAGE.findall(page) if url.startswith(prefix)]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found[name] = None
            waiting += _needed(name)
    return [prefix + name for name in found]


@cache
def _needed(name: str) -> tuple[str, ...]:
    """Scripts that a script imports, fonts and pictures that a style names."""
    pattern = {".js": IN_SCRIPT, ".css": IN_STYLE}.get(Path(name).suffix)
    if pattern is None:
        return ()
    urls = [url for url in pattern.findall(_path(name).read_text()) if not url.startswith("data:")]
    return tuple(posixpath.normpath(posixpath.join(posixpath.dirname(name), url)) for url in urls)


@cache
def digest(url: str) -> str:
    """Of a file's content: names do not change with it on a demo."""
    return sha256(_path(url[len(settings.STATIC_URL) :]).read_bytes()).hexdigest()[:16]


def _path(name: str) -> Path:
    found = settings.STATIC_ROOT / name if settings.STATIC_ROOT else finders.find(name)
    return Path(str(found))
