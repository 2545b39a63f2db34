"""What a file really is, told from its bytes: the name and the declared type are never believed."""

import codecs
import re
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import IO, Any

import puremagic
from django.utils.translation import gettext as _

from relais.core.errors import Refused

HEAD = 4096
ACCEPTED = "PDF, photo (JPEG, PNG, WebP, HEIC), vidéo (MP4, WebM), texte, Word (DOCX), OpenDocument (ODT), DICOM, série DICOM en ZIP"
MOST_IMAGES, MOST_UNPACKED = 5000, 2 << 30  # of a series: entries, bytes once unpacked
LONGEST_LIST = 4_000_000  # bytes of a ZIP's list of parts: 5,000 images with long names
ENDING = 22 + 0xFFFF  # bytes where the end of a ZIP says how long that list is
IMAGE_SUFFIX = re.compile(r"|\.\d+|\.dcm|\.dicom|\.ima", re.IGNORECASE)
PROGRAMS = (b"MZ", b"\x7fELF", b"#!")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MP4_BRANDS = (
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"dash",
    b"M4V ",
    b"MSNV",
    b"3gp4",
)


@dataclass(frozen=True)
class Kind:
    """One type of the allow-list: `extensions` are those it may carry, the first is the one given to it."""

    content_type: str
    extensions: tuple[str, ...]
    inline: bool = False  # a browser may show it in our origin: it cannot run anything there


PDF = Kind("application/pdf", (".pdf",), inline=True)
JPEG = Kind("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif"), inline=True)
PNG = Kind("image/png", (".png",), inline=True)
WEBP = Kind("image/webp", (".webp",))
HEIC = Kind("image/heic", (".heic", ".heif", ".hif"))
DICOM = Kind("application/dicom", (".dcm", ".dicom"))
MP4 = Kind("video/mp4", (".mp4", ".m4v"), inline=True)
WEBM = Kind("video/webm", (".webm",), inline=True)
TEXT = Kind("text/plain", (".txt", ".csv", ".md", ".log"))
DOCX = Kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",))
ODT = Kind("application/vnd.oasis.opendocument.text", (".odt",))
SERIES = Kind("application/zip", (".zip",))  # of DICOM images alone
ALL = (PDF, JPEG, PNG, WEBP, HEIC, DICOM, MP4, WEBM, TEXT, DOCX, ODT, SERIES)
PICTURES = (JPEG, PNG, WEBP, HEIC)
INLINE = frozenset(kind.content_type for kind in ALL if kind.inline)
DICOM_TYPES = frozenset((DICOM.content_type, SERIES.content_type))
# How a page shows each type that it can show (files/look.html); the others are downloaded.
SHOWN = {
    **dict.fromkeys((JPEG.content_type, PNG.content_type), "picture"),
    **dict.fromkeys((MP4.content_type, WEBM.content_type), "video"),
    **dict.fromkeys(DICOM_TYPES, "dicom"),
    PDF.content_type: "pdf",
}


def recognise(stream: IO[bytes], name: str) -> Kind:
    """The kind of the allow-list that the content of `stream` is; Refused when it is none of them.

    A picture named .pdf is taken for what it is; what is only known by being plain text must not claim to be
    something else, nor be a page or a drawing that a browser would run.
    """
    stream.seek(0)
    head = stream.read(HEAD)
    stream.seek(0)
    kind = _by_signature(head) or _archive(stream, head)
    if kind:
        return kind
    claimed = next((kind for kind in ALL if PurePath(name.lower()).suffix in kind.extensions), None)
    if claimed not in (None, TEXT, SERIES):
        raise Refused(
            _("Le contenu de ce fichier n’est pas celui d’un fichier « %(type)s » : vérifiez que c’est le bon.")
            % {"type": PurePath(name.lower()).suffix},
            field="file",
        )
    if claimed is TEXT and _is_text(stream) and not _is_markup(head):
        return TEXT
    raise Refused(
        _("Ce type de fichier n’est pas accepté. Formats possibles : %(types)s.") % {"types": ACCEPTED}, field="file"
    )


def _by_signature(head: bytes) -> Kind | None:
    if head[128:132] == b"DICM":
        return DICOM
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(int.from_bytes(head[:4], "big"), 128), 4))}
        if head[8:12] in HEIF_BRANDS or brands & {b"heic", b"heix"}:
            return HEIC
        return MP4 if brands.intersection(MP4_BRANDS) and head[8:12] != b"qt  " else None
    found = _puremagic(head)
    if "application/pdf" in found and head.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF-"):
        return PDF
    if "video/webm" in found:
        return WEBM if b"webm" in head[:64] else None
    return next((kind for kind in (JPEG, PNG, WEBP) if kind.content_type in found), None)


def _puremagic(head: bytes) -> set[str]:
    try:
        return {match.mime_type for match in puremagic.magic_string(head)}
    except puremagic.PureError:
        return set()


def _archive(stream: IO[bytes], head: bytes) -> Kind | None:
    """DOCX or ODT without macros, or a series of DICOM images; only the list of its parts is read, nothing is unpacked
    but ODT's `mimetype` and the first bytes of each image."""
    if not head.startswith(b"PK\x03\x04") or not _has_short_list(stream):
        return None
    try:
        with zipfile.ZipFile(stream) as archive:
            if any(
                entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in archive.infolist()
            ):
                return None  # what others unpack has no end that can be asked for
            names = set(archive.namelist())
            if any("vbaproject" in name.lower() or name.startswith("Basic/") for name in names):
                return None
            if "word/document.xml" in names and "[Content_Types].xml" in names:
                return DOCX
            if "mimetype" in names and "content.xml" in names:
                with archive.open("mimetype") as part:
                    return ODT if part.read(100).decode("ascii") == ODT.content_type else None
            return SERIES if _is_series(archive) else None
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, RuntimeError, EOFError, zlib.error):
        return None
    finally:
        stream.seek(0)


def _has_short_list(stream: IO[bytes]) -> bool:
    """Whether the list of parts is one that this process can hold; the large format (ZIP64) is for larger files."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - ENDING))
    ending = stream.read()
    stream.seek(0)
    ends = [match.start() for match in re.finditer(rb"PK\x05\x06", ending)]
    lengths = [int.from_bytes(ending[at + 12 : at + 16], "little") for at in ends]
    return bool(lengths) and max(lengths) <= LONGEST_LIST and b"PK\x06\x07" not in ending


def _is_series(archive: zipfile.ZipFile) -> bool:
    """Every file in it is a DICOM image (its index, DICOMDIR, is one too); neither too many nor too large once unpacked.

    The first 128 bytes of an image are free: one that a system would run as a program is none (CVE-2019-11687).
    """
    images = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not images or len(images) > MOST_IMAGES or sum(entry.file_size for entry in images) > MOST_UNPACKED:
        return False
    for entry in images:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or not IMAGE_SUFFIX.fullmatch(path.suffix):
            return False
        with archive.open(entry) as image:
            start = image.read(132)
        if start[128:] != b"DICM" or start.startswith(PROGRAMS):
            return False
    return True


def _is_text(stream: IO[bytes]) -> bool:
    """UTF-8 or Windows text without control characters."""
    stream.seek(0)
    utf8, valid = codecs.getincrementaldecoder("utf-8")(), True
    while block := stream.read(1 << 16):
        if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", block):
            return False
        if valid:
            try:
                utf8.decode(block)
            except UnicodeDecodeError:
                valid = False
        if not valid and re.search(rb"[\x81\x8d\x8f\x90\x9d]", block):
            return False
    stream.seek(0)
    return True


def _is_markup(head: bytes) -> bool:
    """HTML, SVG, XML or a script: something in the head that a browser could take for a page."""
    if _puremagic(head) & {"text/html", "image/svg+xml", "application/xml", "application/xhtml+xml"}:
        return True
    return bool(re.search(rb"<\s*(!doctype|html|svg|script|iframe|body|head|\?xml)", head, re.IGNORECASE)) or (
        head.startswith(b"#!")
    )


def check_pdf(stream: Any) -> None:
    """Refused when the PDF asks for a password or cannot be read. One that only limits printing opens: it passes."""
    import pikepdf  # noqa: PLC0415 (half a second that only PDF pay for)

    stream.seek(0)
    try:
        with pikepdf.open(stream, suppress_warnings=True) as pdf:
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        raise Refused(
            _("Ce PDF est protégé par un mot de passe : enregistrez-le sans mot de passe, puis ajoutez-le de nouveau."),
            field="file",
        ) from None
    except (pikepdf.PdfError, ValueError, RuntimeError):
        pages = 0
    if not pages:
        raise Refused(
            _("Ce PDF est illisible : ouvrez-le sur votre appareil, enregistrez-le de nouveau, puis ajoutez-le."),
            field="file",
        )
    stream.seek(0)


def clean_name(name: str, kind: Kind) -> str:
    """A name that any disk and header can carry: no folder, no control or reserved character, the true extension."""
    text = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" or c in '<>:"|?*' else c for c in text)
    text = re.sub(r"\s+", " ", text).strip(" .")
    path = PurePath(text or "document")
    suffix = path.suffix.lower() if path.suffix.lower() in kind.extensions else kind.extensions[0]
    known = any(path.suffix.lower() in each.extensions for each in ALL)
    stem = (path.stem if known else path.name).strip(" .") or "document"
    return stem[: 200 - len(suffix)] + suffix
