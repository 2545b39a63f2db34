from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error, register


def check_key(app_configs: Any, **kwargs: Any) -> list[Error]:
    """In production the key must be there before the first file comes; a demo makes its own."""
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    from relais.files import vault  # noqa: PLC0415 (the registry must be ready)

    if not settings.PRODUCTION:
        return []
    try:
        vault.check_key()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="files.E001")]
    return []


class FilesConfig(AppConfig):
    name = "relais.files"

    def ready(self) -> None:
        register(check_key)
