"""What an element watches."""

from django import template

from relais.core.live import sign

register = template.Library()


@register.simple_tag
def live(*topics: str) -> str:
    """The value of a `data-live` attribute: the signed topics whose pings the element gets as `live` events.

    ``<div data-live="{% live 'dossier:1' %}" hx-get="…" hx-trigger="live consume">`` refetches itself.
    """
    return sign(" ".join(topics))
