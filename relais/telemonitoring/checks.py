"""What an installation is told before it starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register
from django.core.checks import Warning as Advice


@register(deploy=True)
def answers_key(**kwargs: Any) -> list[CheckMessage]:
    """Without the key nothing fails, and patients learn only on a bad line that they cannot answer."""
    if settings.ANSWERS_KEY_FILE.exists():
        return []
    said = "ANSWERS_KEY_FILE is missing: patients cannot answer without network. Make it with `manage.py answers_key`."
    return [Advice(said, id="telemonitoring.W001")]
