from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig


class CoreConfig(AppConfig):
    name = "relais.core"


class StaticFiles(StaticFilesConfig):
    """`collectstatic` leaves out what packages bring and no page asks for: other builds, sources, extensions."""

    ignore_patterns = [
        "CVS",
        ".*",
        "*~",
        "ext",
        "*.amd.js",
        "*.cjs.js",
        "htmx.esm.js",
        "sse.esm.js",
        "*.esm.d.ts",
        "*.d.ts",
        "uPlot.iife*",
        "*.scss",
    ]
