from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, register
from django.core.exceptions import ImproperlyConfigured

from relais.core import keys


def check_key(app_configs: Any, **kwargs: Any) -> list[Error]:
    """In production the key must be there before the first file comes; a demo makes its own."""
    if not settings.PRODUCTION:
        return []
    try:
        keys.recipient(settings.FILES_KEY_FILE)
    except ImproperlyConfigured as error:
        return [Error(str(error), id="files.E001")]
    return []


class FilesConfig(AppConfig):
    name = "relais.files"

    def ready(self) -> None:
        register(check_key)
