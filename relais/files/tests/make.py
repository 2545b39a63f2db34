"""Small files of every kind, made in memory."""

import io
import zipfile
from typing import Any

import pikepdf
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener(thumbnails=False)


def pdf(pages: int = 1, **options: Any) -> bytes:
    document, kept = pikepdf.new(), io.BytesIO()
    for _index in range(pages):
        document.add_blank_page()
    document.save(kept, **options)
    return kept.getvalue()


def picture(form: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", **options: Any) -> bytes:
    kept = io.BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "I;16") else (10, 120, 200, 128)[: len(mode)]).save(
        kept, form, **options
    )
    return kept.getvalue()


def photo(orientation: int = 1, form: str = "JPEG") -> bytes:
    """A landscape photograph that says where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Fabricant Secret"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)  # GPS latitude
    return picture(form, exif=exif.tobytes())


def grain() -> bytes:
    """A photograph with the noise of a real one: drawn again, its bytes are others."""
    kept = io.BytesIO()
    Image.effect_noise((60, 40), 80).convert("RGB").save(kept, "JPEG")
    return kept.getvalue()


def archive(**parts: bytes) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as found:
        for name, content in parts.items():
            found.writestr(name.replace("__", "/"), content)
    return kept.getvalue()


def docx(**more: bytes) -> bytes:
    return archive(**{"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}, **more)


def odt() -> bytes:
    return archive(mimetype=b"application/vnd.oasis.opendocument.text", **{"content.xml": b"<office/>"})


DICOM = bytes(128) + b"DICM" + bytes(64)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(64)
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + bytes(64)
MOV = b"\0\0\0\x14ftypqt  \0\0\0\0qt  " + bytes(64)
MKV = b"\x1aE\xdf\xa3\x93B\x82\x88matroska" + bytes(64)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
