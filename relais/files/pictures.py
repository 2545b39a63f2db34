"""Pictures are drawn again: upright, at a size a page can show, without what the camera wrote about place and time."""

import io
import threading
from typing import IO

import pillow_heif
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from relais.core.errors import Refused
from relais.files.content import HEIC, JPEG, PNG, WEBP, Kind

LONGEST = 4000  # pixels a side of what is kept
MOST_PIXELS = 64_000_000  # decoded whole: some 7 bytes a pixel at the peak
MOST_JPEG_PIXELS = 120_000_000  # JPEG is decoded at a half, a quarter or an eighth of its size
FORMATS = {JPEG: "JPEG", PNG: "PNG", WEBP: "WEBP", HEIC: "HEIF"}
# Two pictures at a time in a process: the memory stays bounded whatever the number of threads.
_decoders = threading.BoundedSemaphore(2)

pillow_heif.register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS


def redraw(stream: IO[bytes], kind: Kind) -> tuple[io.BytesIO, Kind]:
    """The picture as it will be kept: PNG stays PNG, a transparent WebP becomes PNG, all else JPEG; colours kept.

    Refused for a picture that cannot be read, or too large to be decoded safely.
    """
    stream.seek(0)
    with _decoders:
        try:
            with Image.open(stream, formats=[FORMATS[kind]]) as picture:
                _check_size(picture, kind)
                if kind is JPEG:
                    picture.draft(None, (LONGEST, LONGEST))
                return _draw(picture, kind)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_large() from None
        except (OSError, ValueError, SyntaxError, RuntimeError, EOFError, MemoryError):
            raise Refused(
                _("Cette image est illisible : reprenez la photo, ou choisissez un autre fichier."), field="file"
            ) from None


def _draw(picture: Image.Image, kind: Kind) -> tuple[io.BytesIO, Kind]:
    profile = picture.info.get("icc_profile") if picture.mode in ("RGB", "RGBA", "L", "P") else None
    picture.thumbnail((LONGEST, LONGEST), reducing_gap=2.0)
    upright = ImageOps.exif_transpose(picture)
    transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    target = PNG if kind is PNG or (kind is WEBP and transparent) else JPEG
    if upright.mode.startswith("I;16"):
        upright = upright.point(lambda value: value / 256).convert("L")
    mode = "L" if upright.mode in ("1", "L") else "RGBA" if target is PNG and transparent else "RGB"
    drawn = upright.convert(mode)
    drawn.info.clear()  # what is written out is what we name here, nothing inherited
    kept = io.BytesIO()
    options = {"optimize": False} if target is PNG else {"quality": 88, "progressive": True}
    drawn.save(kept, FORMATS[target], icc_profile=profile, **options)
    kept.seek(0)
    return kept, target


def _check_size(picture: Image.Image, kind: Kind) -> None:
    if picture.width * picture.height > (MOST_JPEG_PIXELS if kind is JPEG else MOST_PIXELS):
        raise _too_large()


def _too_large() -> Refused:
    return Refused(
        _("Cette image a trop de pixels pour être lue : réduisez-la, puis ajoutez-la de nouveau."), field="file"
    )
