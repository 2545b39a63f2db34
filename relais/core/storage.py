"""Static files of an installation: names that change with their content, so that browsers keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    """Imports inside scripts get those names too: no page mixes versions, and no module is loaded under two names."""

    support_js_module_import_aggregation = True
