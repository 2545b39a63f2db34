"""Pictures of the guides: taken by the browser tests, left out while there are none."""

from pathlib import Path

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
FOLDER = Path(__file__).resolve().parents[1] / "static" / "portal" / "guides"


@register.simple_tag
def guide_figure(name: str, alt: str, caption: str = "") -> SafeString:
    """The picture `static/portal/guides/<name>.png` with its words, or nothing when it was not taken yet."""
    if not (FOLDER / f"{name}.png").is_file():
        return SafeString("")
    words = format_html("<figcaption>{}</figcaption>", caption) if caption else ""
    return format_html(
        '<figure class="guide-figure"><img src="{}" alt="{}" loading="lazy">{}</figure>',
        static(f"portal/guides/{name}.png"),
        alt,
        words,
    )
