"""DICOM that the page looks at: what the reader makes of each coding, of a series, of several frames, of a bomb."""

import gzip
import io
import json
import struct
import zipfile
import zlib
from datetime import date
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG2MPML, DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from relais.files.dicom import phantom, process, reader
from relais.files.dicom.identity import OTHER, SAME, UNNAMED, Person, compared

ZOLA = Person("ZOLA Jeanne", ("Hébert", "Zola"), ("Jeanne", "Marie-Louise"), date(1938, 2, 1))


def asked(data: bytes, *, apart: bool = False, **order: Any) -> Any:
    """What the reader answers, in a process of its own when it must be; images as (head, array)."""
    said = {"kind": "dicom", **order}
    answer = process.read((block for block in [data]), said) if apart else reader.answer(data, said)
    return opened(answer) if "images" in order else json.loads(answer)


def opened(answer: bytes) -> list[tuple[dict[str, Any], Any]]:
    """As the page unpacks them."""
    raw = gzip.decompress(answer)
    (length,) = struct.unpack("<I", raw[:4])
    heads, at, found = json.loads(raw[4 : 4 + length]), 4 + length, []
    for head in heads:
        found.append((head, None if "error" in head else _values(raw[at : at + head["length"]], head)))
        at += head["length"]
    return found


def _values(body: bytes, head: dict[str, Any]) -> Any:
    rows, columns, wide = head["rows"], head["columns"], head["bits"] // 8
    kind = f"{'i' if head['signed'] else 'u'}{wide}"
    planes = np.frombuffer(body, np.uint8).reshape(head["channels"], wide, rows, columns).astype(np.int64)
    folded = sum(planes[:, byte] << (8 * byte) for byte in range(wide))
    steps = (folded >> 1) ^ -(folded & 1)
    values = np.cumsum(steps, axis=2).astype(kind)
    return values[0] if head["channels"] == 1 else np.moveaxis(values, 0, 2)


def true_values(made: Dataset) -> Any:
    return np.frombuffer(made.PixelData, "<u2").reshape(made.Rows, made.Columns)


def eight_bits(made: Dataset) -> Any:
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    grey = (true_values(made) >> 4).astype(np.uint8)
    made.PixelData = grey.tobytes()
    return grey


def jpeg(pixels: Any, form: str, **options: Any) -> bytes:
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, form, **options)
    return kept.getvalue()


@pytest.mark.req("TE-01")
def test_an_image_arrives_with_its_true_values_its_windows_and_its_millimetres() -> None:
    made = phantom.image(size=64)
    [(head, pixels)] = asked(phantom.written(made), images=[[0, 0]])
    assert (pixels == true_values(made)).all()
    assert head["windows"] == [[40.0, 80.0, "CERVEAU"], [500.0, 2000.0, "OS"]]
    assert (head["slope"], head["intercept"], head["spacing"], head["reduced"]) == (1.0, -1024.0, [3.59375, 3.59375], 1)
    assert (head["inverted"], head["sides"]) == (False, ["L", "P"])


def test_each_coding_gives_the_same_image_and_an_unknown_one_is_said() -> None:
    """RLE, JPEG 2000, JPEG (with loss, and in colours); MPEG has no decoder here."""
    data = {}
    made = phantom.image(size=64)
    exact = true_values(made)
    made.compress(RLELossless)
    data["rle"] = phantom.written(made)
    made = phantom.image(size=64)
    grey = eight_bits(made)
    made.PixelData = encapsulate([jpeg(grey, "JPEG", quality=95)])
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data["jpeg"] = phantom.written(made)
    made.PixelData = encapsulate([jpeg(grey, "JPEG2000", no_jp2=True)])
    made.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data["j2k"] = phantom.written(made)
    made.file_meta.TransferSyntaxUID = MPEG2MPML
    data["mpeg"] = phantom.written(made)
    made = phantom.image(size=64)
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PlanarConfiguration = 3, "YBR_FULL_422", 0
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelData = encapsulate([jpeg(np.full((64, 64, 3), (200, 60, 20), np.uint8), "JPEG", quality=95)])
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    data["colours"] = phantom.written(made)

    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in data.items():
            archive.writestr(name, content)
    found = dict(zip(data, asked(kept.getvalue(), kind="zip", images=[[at, 0] for at in range(5)]), strict=True))
    assert (found["rle"][1] == exact).all()
    assert np.abs(found["jpeg"][1].astype(int) - grey).mean() < 4
    assert (found["j2k"][1] == grey).all()
    assert found["mpeg"][0]["error"] == "syntax"
    assert np.abs(found["colours"][1][32, 32].astype(int) - (200, 60, 20)).max() < 6


@pytest.mark.req("TE-01")
def test_the_images_of_a_series_come_by_their_place_in_the_body_and_other_files_are_passed_over() -> None:
    kept = io.BytesIO(phantom.series(of=5, size=16, name="ZOLA^JEANNE"))
    with zipfile.ZipFile(kept, "a") as archive:
        archive.writestr("DICOMDIR", bytes(128) + b"DICM")
    found = asked(kept.getvalue(), kind="zip")
    [series] = found["series"]
    assert [at for at, _frame in series["images"]] != sorted(at for at, _frame in series["images"])
    assert [_number(kept, at) for at, _frame in series["images"]] == [1, 2, 3, 4, 5]
    assert found["others"] == 1
    assert found["people"] == [{"name": "ZOLA^JEANNE", "born": "", "id": "DEMO", "sex": ""}]


def _number(kept: io.BytesIO, at: int) -> int:
    with zipfile.ZipFile(kept) as archive:
        return int(dcmread(io.BytesIO(archive.read(archive.namelist()[at]))).InstanceNumber)


def test_each_frame_of_an_image_of_several_is_one_image() -> None:
    made = phantom.image(size=16)
    frames = np.arange(3 * 256, dtype="<u2").reshape(3, 16, 16)
    made.NumberOfFrames, made.PixelData = 3, frames.tobytes()
    data = phantom.written(made)
    assert asked(data)["series"][0]["images"] == [[0, 0], [0, 1], [0, 2]]
    assert (asked(data, images=[[0, 2]])[0][1] == frames[2]).all()


def test_a_large_image_is_reduced_unless_it_is_asked_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LONGEST", 100)
    made = phantom.image(size=16)
    made.Rows, made.Columns = 170, 190
    made.PixelData = np.full((170, 190), 7, "<u2").tobytes()
    data = phantom.written(made)
    [(head, pixels)] = asked(data, images=[[0, 0]])
    assert (head["reduced"], pixels.shape, pixels.max()) == (2, (85, 95), 7)
    assert asked(data, images=[[0, 0]], full=True)[0][0]["reduced"] == 1


def test_bombs_and_broken_files_end_in_a_word_that_the_page_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that are lies, too many frames, bytes that are no DICOM, a reader that does not come back."""
    made = phantom.image(size=16)
    made.Rows = made.Columns = 60_000
    assert asked(phantom.written(made), images=[[0, 0]])[0][0]["error"] == "large"
    made.Rows = made.Columns = 5000  # more than its bytes
    made.NumberOfFrames = 9_999_999
    data = phantom.written(made)
    assert asked(data, images=[[0, 4]])[0][0]["error"] == "unreadable"
    assert asked(data) == {"error": "many"}
    assert asked(bytes(128) + b"DICM" + b"\x02\0\0\0UL\x04\0\0\0\0\0") == {"error": "nothing"}
    with pytest.raises(process.Failed, match="unreadable"):
        asked(b"PK", apart=True, kind="zip")
    monkeypatch.setattr(process, "WHOLE", 0.01)
    with pytest.raises(process.Failed, match="heavy"):
        asked(data, apart=True)
    monkeypatch.setattr(process, "PATIENCE", 0.01)
    monkeypatch.setattr(process, "_places", process.threading.BoundedSemaphore(1))
    with process._places, pytest.raises(process.Failed, match="busy"):
        asked(data, apart=True)


@pytest.mark.parametrize(
    ("name", "born", "told"),
    [
        ("ZOLA^JEANNE", "19380201", SAME),
        ("HEBERT^JEANNE MARIE^^MME", "19380201", SAME),
        ("HÉBERT ZOLA JEANNE", "", SAME),
        ("ZOLA-HEBERT^MARIE LOUISE", "19380201", SAME),
        ("ZOLA", "", SAME),
        ("ZOLA^EMILE", "19380201", OTHER),
        ("DUPONT^JEANNE", "19380201", OTHER),
        ("ZOLA^JEANNE", "19380202", OTHER),
        ("", "19380202", OTHER),
        ("ANONYMISE^123", "", UNNAMED),
        ("", "", UNNAMED),
    ],
)
def test_an_image_of_somebody_else_is_told_from_names_as_machines_write_them(name: str, born: str, told: str) -> None:
    assert compared({"name": name, "born": born}, ZOLA) == told


def test_what_would_fill_the_memory_stops_in_the_reader_s_own_process() -> None:
    """Bytes that inflate to 4 GB before the first image is even named."""
    made = phantom.image(size=16)
    made.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    whole = phantom.written(made)
    squeeze = zlib.compressobj(9, wbits=-15)
    block = squeeze.compress(bytes(1 << 22)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    bomb = whole[: 132 + 12 + _length(whole)] + block * 1024 + squeeze.flush()
    with pytest.raises(process.Failed, match="heavy"):
        asked(bomb, apart=True)


def _length(whole: bytes) -> int:
    """Of the head of a file, which is never deflated."""
    return int(struct.unpack("<I", whole[140:144])[0])
