"""What a file may be, and what each refusal says."""

import io
import struct
import zlib

import pikepdf
import pytest
from PIL import Image, ImageCms

from relais.core.errors import Refused
from relais.files import actions, content
from relais.files.tests import make


def refusal(upload: object, name: str) -> str:
    with pytest.raises(Refused) as found:
        actions.check(upload, name)
    assert found.value.field == "file"
    return found.value.message


@pytest.mark.parametrize(
    ("upload", "name", "content_type", "kept"),
    [
        (make.pdf(), "Résultats.PDF", "application/pdf", "Résultats.pdf"),
        (make.picture("JPEG"), "IMG_0001.JPG", "image/jpeg", "IMG_0001.jpg"),
        (make.picture("PNG"), "capture.png", "image/png", "capture.png"),
        (make.picture("WEBP"), "photo.webp", "image/jpeg", "photo.jpg"),
        (make.picture("WEBP", mode="RGBA"), "logo.webp", "image/png", "logo.png"),
        (make.picture("HEIF"), "IMG_0002.HEIC", "image/jpeg", "IMG_0002.jpg"),
        (make.DICOM, "scanner", "application/dicom", "scanner.dcm"),
        (make.MP4, "clip.mp4", "video/mp4", "clip.mp4"),
        (make.WEBM, "clip.webm", "video/webm", "clip.webm"),
        ("Température : 38,5".encode(), "notes.txt", "text/plain", "notes.txt"),
        ("Température".encode("cp1252"), "notes.txt", "text/plain", "notes.txt"),
        (
            make.docx(),
            "courrier.docx",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "courrier.docx",
        ),
        (make.odt(), "courrier.odt", "application/vnd.oasis.opendocument.text", "courrier.odt"),
        (make.picture("JPEG"), "scan.pdf", "image/jpeg", "scan.jpg"),
    ],
)
def test_a_file_of_the_list_is_taken_for_what_its_content_is(
    upload: bytes, name: str, content_type: str, kept: str
) -> None:
    checked = actions.check(upload, name)
    assert (checked.content_type, checked.name) == (content_type, kept)
    assert len(checked.stream.read()) == checked.size


@pytest.mark.parametrize("upload", [make.HTML, make.SVG, b"\n\n  " + make.HTML, b"Une simple note"])
def test_a_page_a_drawing_or_a_note_named_pdf_is_refused(upload: bytes) -> None:
    assert "n’est pas celui d’un fichier « .pdf »" in refusal(upload, "ordonnance.pdf")


@pytest.mark.parametrize(
    ("upload", "name"),
    [
        (make.HTML, "page.html"),
        (make.HTML, "page.txt"),
        (make.SVG, "dessin.svg"),
        (make.SVG, "dessin.txt"),
        (b"#!/bin/sh\nrm -rf /", "note.txt"),
        (b"MZ\x90\x00" + bytes(100), "installer.exe"),
        (b"MZ\x90\x00" + bytes(100), "note.txt"),
        (b"texte\x00binaire", "note.txt"),
        (b"GIF89a" + bytes(50), "image.gif"),
        (make.MOV, "film.mov"),
        (make.MKV, "film.mkv"),
        (make.docx(**{"word/vbaProject.bin": b"macro"}), "courrier.docm"),
        (make.archive(a=b"b"), "archive.zip"),
    ],
)
def test_what_is_not_on_the_list_is_refused_and_the_list_is_told(upload: bytes, name: str) -> None:
    assert "PDF, photo (JPEG, PNG, WebP, HEIC)" in refusal(upload, name)


def test_an_empty_file_is_refused() -> None:
    assert "vide" in refusal(b"", "photo.jpg")


def test_a_file_of_the_largest_size_passes_and_one_byte_more_does_not(settings) -> None:
    upload = make.MP4
    settings.UPLOAD_MAX_BYTES = len(upload)
    assert actions.check(upload, "clip.mp4").size == len(upload)
    settings.UPLOAD_MAX_BYTES = len(upload) - 1
    assert "dépasse" in refusal(upload, "clip.mp4")


def test_a_pdf_with_a_password_is_refused_and_one_that_only_limits_printing_passes() -> None:
    locked = make.pdf(encryption=pikepdf.Encryption(user="secret", owner="secret"))
    assert "mot de passe" in refusal(locked, "resultats.pdf")
    limited = make.pdf(encryption=pikepdf.Encryption(user="", owner="secret"))
    assert actions.check(limited, "resultats.pdf").size == len(limited)


@pytest.mark.parametrize("upload", [b"%PDF-1.7\nrien", make.pdf()[:40], make.pdf(pages=0)])
def test_a_pdf_without_a_readable_page_is_refused(upload: bytes) -> None:
    assert "PDF est illisible" in refusal(upload, "resultats.pdf")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_photograph_keeps_nothing_of_what_the_camera_wrote(form: str) -> None:
    upload = make.photo(form=form)
    assert b"Fabricant" in upload
    kept = actions.check(upload, "photo").stream.read()
    assert b"Fabricant" not in kept
    with Image.open(io.BytesIO(kept)) as picture:
        assert not picture.getexif()


def test_a_photograph_taken_upright_is_kept_upright() -> None:
    with Image.open(actions.check(make.photo(orientation=6), "photo.jpg").stream) as picture:
        assert picture.size == (40, 60)


def test_a_photograph_keeps_its_colour_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with Image.open(actions.check(make.picture(icc_profile=profile), "peau.jpg").stream) as picture:
        assert picture.info["icc_profile"] == profile


@pytest.mark.parametrize("mode", ["L", "CMYK", "I;16"])
def test_other_colour_models_are_drawn_for_a_screen(mode: str) -> None:
    form = "PNG" if mode == "I;16" else "JPEG"
    with Image.open(actions.check(make.picture(form, mode=mode), "image").stream) as picture:
        assert picture.mode in ("L", "RGB")


def test_a_40_megapixel_heic_becomes_a_jpeg_of_at_most_4000_pixels_a_side() -> None:
    upload = make.picture("HEIF", size=(7680, 5280), quality=20, enc_params={"preset": "ultrafast"})
    with Image.open(actions.check(upload, "IMG_4000.HEIC").stream) as picture:
        assert (picture.format, picture.size) == ("JPEG", (4000, 2750))


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!L", len(body)) + name + body + struct.pack("!L", zlib.crc32(name + body))

    header = struct.pack("!LLBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )
    assert "trop de pixels" in refusal(bomb, "bombe.png")


def test_a_picture_cut_short_is_refused() -> None:
    assert "image est illisible" in refusal(make.picture("PNG", size=(400, 400))[:200], "photo.png")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Dossiers\\Bilan.pdf", "Bilan.pdf"),
        ("bilan\r\nSet-Cookie: a=b.pdf", "bilan Set-Cookie a=b.pdf"),
        ("  .pdf", "pdf.pdf"),
        ("", "document.pdf"),
        ("bilan\u202efdp.exe", "bilan fdp.exe.pdf"),
        ("Nguyễn d'Arc.pdf", "Nguyễn d'Arc.pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_a_name_is_made_safe_and_takes_the_true_extension(name: str, kept: str) -> None:
    assert content.clean_name(name, content.PDF) == kept
