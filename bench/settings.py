"""The site's own settings on a database of the bench, with a page and a header more that no installation has."""

import os

from config.settings import *  # noqa: F403
from config.settings import BASE_DIR, DATABASES, HOME, MIDDLEWARE, TEMPLATES

DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
FILES_DIR = HOME / f"files-{os.environ['BENCH_DATABASE']}"
ROOT_URLCONF = "bench.urls"
MIDDLEWARE = ["bench.counting.Counting", *MIDDLEWARE]
TEMPLATES = [{**TEMPLATES[0], "DIRS": [BASE_DIR / "bench" / "templates"]}]
