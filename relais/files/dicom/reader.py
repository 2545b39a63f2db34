"""A process of its own reads DICOM, for strangers made it: it has no key, no database, no setting, and little of the machine.

The file comes in on stdin, the order in argv (JSON), the answer goes out on stdout. `process` starts it, alone.
Order {"kind": "dicom" | "zip"} asks what is in the file; with "images": [[entry, frame], ...] for those images, at most
LONGEST pixels a side unless "full". An entry is the place of an image's file in the ZIP, 0 for a file alone.
"""

import contextlib
import io
import json
import math
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

MEMORY = 1 << 30  # bytes of addresses
SECONDS = 40  # of processor
LONGEST, LONGEST_FULL = 1600, 4096  # pixels a side that a page is sent
MOST_PIXELS = 36_000_000  # of one image: a mammography has 14
MOST_IMAGES = 6000  # of one file, frames counted
MOST_SAID = 120  # characters of a name or a label
PROJECTIONS = frozenset(("CR", "DX", "MG", "RF", "XA", "IO", "PX"))  # whose rays spread from the body to the detector
HEAD = [
    "SpecificCharacterSet", "PatientName", "PatientBirthDate", "PatientID", "PatientSex", "StudyDate", "StudyDescription",
    "Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber", "InstanceNumber", "BodyPartExamined",
    "NumberOfFrames", "Rows", "Columns", "ImageOrientationPatient", "ImagePositionPatient", "SliceLocation",
]  # fmt: skip


def limit() -> None:
    """Before anything is read: what a bomb may take, and nothing written anywhere."""
    try:
        import resource  # noqa: PLC0415 (absent from Windows)
    except ImportError:
        return
    for name, most in (("AS", MEMORY), ("CPU", SECONDS), ("FSIZE", 0), ("CORE", 0)):
        with contextlib.suppress(ValueError, OSError):  # a system that has not this limit
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


if __name__ == "__main__":
    limit()
    sys.modules["requests"] = None  # type: ignore[assignment] # pydicom would take it in to download its own tests

import numpy as np  # noqa: E402
from pydicom import dcmread  # noqa: E402
from pydicom.dataset import Dataset  # noqa: E402
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array  # noqa: E402


class File:
    """The images' files, by place: those of a ZIP, or the one file alone."""

    def __init__(self, data: bytes, kind: str) -> None:
        self._data = data
        self._zip = zipfile.ZipFile(io.BytesIO(data)) if kind == "zip" else None
        self._entries = [one for one in self._zip.infolist() if not one.is_dir()] if self._zip else [None]
        self._last: tuple[int, Dataset] | None = None

    def heads(self) -> Iterator[tuple[int, Dataset | None]]:
        """What each file says of its image, pixels left unread; None for a file that cannot be read."""
        for at, entry in enumerate(self._entries):
            opened: Any = self._zip.open(entry) if self._zip and entry else io.BytesIO(self._data)
            try:
                with opened:
                    head = dcmread(opened, stop_before_pixels=True, specific_tags=[*HEAD])
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 (whatever a stranger's bytes made of it)
                head = None
            yield at, head

    def whole(self, at: int) -> Dataset:
        """One file with its pixels; the last one is kept, for its other frames."""
        if self._last is None or self._last[0] != at:
            entry = self._entries[at]
            data = self._zip.read(entry) if self._zip and entry else self._data
            self._last = (at, dcmread(io.BytesIO(data)))
        return self._last[1]


# What is in the file


def described(file: File) -> dict[str, Any]:
    """{"series": [{"label", "modality", "images": [[entry, frame], ...]}], "people": [{"name", "born", ...}], "others",
    "unread"}: how many files are no images, and how many images are in none of the series, for they cannot be read.

    Series in their order; in each the images by their place in the body, else by number.
    """
    series: dict[str, list[tuple[int, Dataset]]] = {}
    people: dict[str, dict[str, str]] = {}
    others = unread = count = 0
    for at, head in file.heads():
        if head is None or not number(head, "Rows") or not number(head, "Columns"):
            if head is None or _of_image(head):
                unread += 1
            else:
                others += 1  # an index, a report
            continue
        count += frames_of(head)
        if count > MOST_IMAGES:
            return {"error": "many"}
        series.setdefault(said(head, "SeriesInstanceUID"), []).append((at, head))
        person = {key: said(head, tag) for key, tag in PERSON.items()}
        people.setdefault(json.dumps(person), person)
    if not series:
        return {"error": "unreadable" if unread else "nothing"}
    counts = {"others": others, "unread": unread}
    ordered = sorted(series.values(), key=lambda images: number(images[0][1], "SeriesNumber") or 0)
    return {"series": [_series(images) for images in ordered], "people": list(people.values()), **counts}


def _of_image(head: Dataset) -> bool:
    """Whether a head without its size says that it is an image's: cut short, or damaged."""
    kind = getattr(getattr(head, "file_meta", None), "MediaStorageSOPClassUID", "")
    return "Rows" in head or "Columns" in head or "Image Storage" in getattr(kind, "name", "")


PERSON = {"name": "PatientName", "born": "PatientBirthDate", "id": "PatientID", "sex": "PatientSex"}


def _series(images: list[tuple[int, Dataset]]) -> dict[str, Any]:
    images.sort(key=lambda one: number(one[1], "InstanceNumber") or 0)
    places = [place(head) for _at, head in images]
    if len(images) > 1 and None not in places and len(set(places)) > 1:
        downwards = (places[0] or 0) > (places[-1] or 0)  # the way in which the machine itself counted them
        by_place = sorted(zip(places, images, strict=True), key=lambda one: one[0] or 0, reverse=downwards)
        images = [image for _place, image in by_place]
    head = images[0][1]
    words = [said(head, tag) for tag in ("SeriesDescription", "StudyDescription", "BodyPartExamined")]
    return {
        "label": next((word for word in words if word), ""),
        "modality": said(head, "Modality"),
        "date": said(head, "StudyDate"),
        "images": [[at, frame] for at, each in images for frame in range(frames_of(each))],
    }


def place(head: Dataset) -> float | None:
    """How far along its normal a slice lies (mm)."""
    position, across = numbers(head, "ImagePositionPatient", 3), numbers(head, "ImageOrientationPatient", 6)
    if position and across:
        normal = np.cross(across[:3], across[3:])
        return round(float(np.dot(normal, position)), 3)
    return number(head, "SliceLocation")


def frames_of(head: Dataset) -> int:
    return max(1, int(number(head, "NumberOfFrames") or 1))


def said(head: Dataset, tag: str) -> str:
    """A value as text, empty when there is none: what a stranger wrote is neither long nor of several lines."""
    try:
        return " ".join(str(head.get(tag) or "").replace("\0", " ").split())[:MOST_SAID]
    except Exception:  # noqa: BLE001 (a value that pydicom cannot read)
        return ""


def number(head: Dataset, tag: str) -> float | None:
    found = numbers(head, tag)
    return found[0] if found else None


def numbers(head: Any, tag: str, length: int = 0) -> list[float]:
    """The finite numbers of a value: none unless there are `length` of them, when it is asked."""
    try:
        value = head.get(tag)
        found = [float(one) for one in (value if hasattr(value, "__iter__") else [value] if value is not None else [])]
    except Exception:  # noqa: BLE001 (a value that pydicom cannot read)
        return []
    return found if all(map(math.isfinite, found)) and (not length or len(found) == length) else []


# One image


class Unreadable(Exception):
    """An image that cannot be shown; says why in one word that the page knows."""


def image(data: Dataset, frame: int, *, full: bool) -> tuple[dict[str, Any], bytes]:
    """What the page needs to draw a frame, and its pixels as `packed` says."""
    rows, columns = int(number(data, "Rows") or 0), int(number(data, "Columns") or 0)
    if rows * columns > MOST_PIXELS:
        raise Unreadable("large")
    if rows < 1 or columns < 1 or frame >= frames_of(data):
        raise Unreadable("unreadable")
    try:
        pixels = pixel_array(data, index=frame)
    except (NotImplementedError, AttributeError):
        raise Unreadable("syntax") from None
    except RuntimeError as error:  # pydicom's word for « no decoder is there » as for « it failed »
        unknown = "unable to decompress" in str(error).lower() and "plugins are missing" in str(error).lower()
        raise Unreadable("syntax" if unknown else "unreadable") from None
    kind = said(data, "PhotometricInterpretation")
    if kind == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
    shown: dict[str, Any] = {"inverted": kind == "MONOCHROME1", **_measures(data, frame)}
    if pixels.ndim == 3:
        if pixels.dtype.itemsize > 1:
            pixels = (pixels >> 8).astype(np.uint8)
    else:
        pixels, grey = _grey(data, frame, pixels)
        shown.update(grey)
    pixels, by = _reduced(pixels, LONGEST_FULL if full else LONGEST)
    shown.update(rows=pixels.shape[0], columns=pixels.shape[1], reduced=by, channels=1 if pixels.ndim == 2 else 3)
    shown.update(bits=8 * pixels.dtype.itemsize, signed=pixels.dtype.kind == "i")
    return shown, packed(pixels)


def _grey(data: Dataset, frame: int, pixels: Any) -> tuple[Any, dict[str, Any]]:
    """Grey pixels in at most 16 bits, with the slope and intercept of their true values and the windows offered.

    "mapped": a table has changed the values, which are in no unit any more; "sigmoid": how the windows are drawn;
    "proposed": the image names no window, this one is ours.
    """
    slope, intercept, windows = 1.0, 0.0, _windows(data, frame)
    transform = _of_frame(data, frame, "PixelValueTransformationSequence")
    mapped = "ModalityLUTSequence" in data
    if mapped:
        pixels = apply_modality_lut(pixels, data)
    elif transform is not None:
        slope, intercept = number(transform, "RescaleSlope") or 1.0, number(transform, "RescaleIntercept") or 0.0
    if data.get("VOILUTSequence") and not windows:
        true = np.rint(pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)).astype(np.int32)
        pixels, slope, intercept, mapped = apply_voi_lut(true, data, prefer_lut=True), 1.0, 0.0, True
        windows = [_of_table(data["VOILUTSequence"][0], pixels)]
    if pixels.dtype.kind == "f" or pixels.dtype.itemsize > 2:
        lowest, highest = float(np.nanmin(pixels)), float(np.nanmax(pixels))
        step = (highest - lowest) / 65535 or 1.0
        pixels = np.nan_to_num((pixels - lowest) / step).astype(np.uint16)
        slope, intercept = slope * step, intercept + slope * lowest
    if pixels.dtype.kind not in "iu":
        pixels = pixels.astype(np.uint8)
    proposed = not windows
    if proposed:
        low, high = (float(one) * slope + intercept for one in np.percentile(pixels[::4, ::4], (0.5, 99.5)))
        windows = [[(low + high) / 2, max(abs(high - low), 1.0), ""]]
    sigmoid = not mapped and said(_of_frame(data, frame, "FrameVOILUTSequence"), "VOILUTFunction") == "SIGMOID"
    drawn_so = {"mapped": mapped, "sigmoid": sigmoid, "proposed": proposed}
    return pixels, {"slope": slope, "intercept": intercept, "windows": windows, **drawn_so}


def _of_table(item: Dataset, pixels: Any) -> list[Any]:
    """The window that shows all that a VOI table gives: from black to the brightest of its bits."""
    most = 2 ** int((numbers(item, "LUTDescriptor", 3) or [0, 0, 8 * pixels.dtype.itemsize])[2]) - 1
    return [most / 2, max(most, 1), said(item, "LUTExplanation")[:40]]


def _of_frame(data: Dataset, frame: int, sequence: str) -> Any:
    """The functional group of a frame of an enhanced image; the image itself when it has none."""
    for groups, at in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        found = data.get(groups)
        if found and at < len(found) and found[at].get(sequence):
            return found[at][sequence][0]
    return data


def _windows(data: Dataset, frame: int) -> list[list[Any]]:
    """[centre, width, name] of each window that the image was made with, at most four."""
    source = _of_frame(data, frame, "FrameVOILUTSequence")
    centres, widths = numbers(source, "WindowCenter"), numbers(source, "WindowWidth")
    names = source.get("WindowCenterWidthExplanation") or ""
    names = [names] if isinstance(names, str) else list(names)
    found = [[centre, width] for centre, width in zip(centres, widths, strict=False) if width >= 1][:4]
    return [[*one, str(names[at])[:40] if at < len(names) else ""] for at, one in enumerate(found)]


def _measures(data: Dataset, frame: int) -> dict[str, Any]:
    """Millimetres from one row and one column to the next, and where they hold: in the body, or on the detector.

    Projections write the spacing of their detector as PixelSpacing too, unless they say how it was calibrated (PS3.3
    §10.7.1.3): what lies in the body is smaller than it looks there.
    """
    source = _of_frame(data, frame, "PixelMeasuresSequence")
    body, imager = numbers(source, "PixelSpacing", 2), numbers(data, "ImagerPixelSpacing", 2)
    calibrated = source is not data or said(data, "PixelSpacingCalibrationType")
    raw = said(data, "Modality").upper() in PROJECTIONS and not calibrated
    spacing, thick = body or imager, number(source, "SliceThickness")
    held = {"spacing": spacing, "detector": not body or raw or body == imager} if spacing and min(spacing) > 0 else {}
    return {**held, "place": place(data), "thickness": thick, "sides": sides(data, frame)}


def sides(data: Dataset, frame: int) -> list[str]:
    """Towards which side of the body the image's right and its bottom lie (L R A P H F); empty when it does not say."""
    across = numbers(_of_frame(data, frame, "PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    if across:
        return [_side(across[:3]), _side(across[3:])]
    written = data.get("PatientOrientation") or []
    found = [str(one)[:1] for one in written] if not isinstance(written, str) else []
    return found if len(found) == 2 and all(one and one in "LRAPHF" for one in found) else []


def _side(direction: list[float]) -> str:
    axis = max(range(3), key=lambda one: abs(direction[one]))
    return ("LR", "PA", "HF")[axis][direction[axis] < 0]


def _reduced(pixels: Any, longest: int) -> tuple[Any, int]:
    """The mean of each square of `by` pixels a side, the least that brings the image down to `longest`."""
    by = math.ceil(max(pixels.shape[:2]) / longest)
    if by == 1:
        return pixels, 1
    rows, columns = pixels.shape[0] // by, pixels.shape[1] // by
    total = np.zeros((rows, columns, *pixels.shape[2:]), np.int32)
    for down in range(by):
        for right in range(by):
            total += pixels[down : rows * by : by, right : columns * by : by]
    return (total // (by * by)).astype(pixels.dtype), by


def packed(pixels: Any) -> bytes:
    """For each channel the differences from one pixel of a row to the next, the sign in the last bit, low bytes and then high
    ones: gzip makes a third of them."""
    unsigned = pixels.astype(pixels.dtype.newbyteorder("=")).view(f"u{pixels.dtype.itemsize}")
    channels = [unsigned] if unsigned.ndim == 2 else [unsigned[..., one] for one in range(3)]
    found = []
    for channel in channels:
        steps = channel.copy()
        steps[:, 1:] -= channel[:, :-1]
        signed = steps.view(f"i{steps.dtype.itemsize}")
        folded = ((signed << 1) ^ (signed >> (8 * steps.dtype.itemsize - 1))).astype(f"<i{steps.dtype.itemsize}")
        parts = folded.view(np.uint8).reshape(-1, steps.dtype.itemsize)
        found += [parts[:, one].tobytes() for one in range(steps.dtype.itemsize)]
    return b"".join(found)


def drawn(file: File, wanted: list[list[int]], *, full: bool) -> bytes:
    """gzip of: the length of the head (4 bytes, little-endian), the head (JSON, one object an image), all pixels."""
    heads, bodies = [], []
    for at, frame in wanted:
        try:
            head, body = image(file.whole(at), frame, full=full)
        except Unreadable as unreadable:
            head, body = {"error": str(unreadable)}, b""
        except MemoryError:
            head, body = {"error": "large"}, b""
        except Exception:  # noqa: BLE001 (whatever a stranger's bytes made a decoder say)
            head, body = {"error": "unreadable"}, b""
        heads.append({**head, "at": [at, frame], "length": len(body)})
        bodies.append(body)
    head_bytes = json.dumps(heads).encode()
    squeeze = zlib.compressobj(3, wbits=31)
    parts = [struct.pack("<I", len(head_bytes)), head_bytes, *bodies]
    return b"".join([*(squeeze.compress(part) for part in parts), squeeze.flush()])


def answer(data: bytes, order: dict[str, Any]) -> bytes:
    file = File(data, order["kind"])
    if "images" in order:
        return drawn(file, order["images"], full=bool(order.get("full")))
    return json.dumps(described(file)).encode()


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), json.loads(sys.argv[1])))
    except MemoryError:
        sys.exit(3)
