"""DICOM that the page looks at: what the reader makes of each coding, of a series, of several frames, of a bomb."""

import gzip
import io
import json
import struct
import threading
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
    answer = process.read((block for block in [data]), said, who="a") if apart else reader.answer(data, said)
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
    assert (found["others"], found["unread"]) == (1, 0)
    assert found["people"] == [{"name": "ZOLA^JEANNE", "born": "", "id": "DEMO", "sex": ""}]


def _number(kept: io.BytesIO, at: int) -> int:
    with zipfile.ZipFile(kept) as archive:
        return int(dcmread(io.BytesIO(archive.read(archive.namelist()[at]))).InstanceNumber)


def test_images_whose_head_cannot_be_read_are_counted() -> None:
    """Cut short before their size, or of other bytes: they would be missing from the series without a word."""
    whole = phantom.written(phantom.image(size=16))
    cut = whole[: whole.index(b"\x28\x00\x10\x00")]  # Rows
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, content in {"a": whole, "b": cut, "c": b"x" * 300, "d": bytes(128) + b"DICM"}.items():
            archive.writestr(name, content)
    found = asked(kept.getvalue(), kind="zip")
    assert (len(found["series"][0]["images"]), found["unread"], found["others"]) == (1, 2, 1)
    assert asked(cut) == {"error": "unreadable"}


@pytest.mark.parametrize(
    ("said", "spacing", "detector"),
    [
        ({"Modality": "CT", "PixelSpacing": [0.5, 0.5]}, [0.5, 0.5], False),
        ({"Modality": "DX", "ImagerPixelSpacing": [0.14, 0.14]}, [0.14, 0.14], True),
        ({"Modality": "CR", "PixelSpacing": [0.14, 0.14]}, [0.14, 0.14], True),
        ({"Modality": "MG", "PixelSpacing": [0.07, 0.07], "ImagerPixelSpacing": [0.07, 0.07]}, [0.07, 0.07], True),
        ({"Modality": "OT", "PixelSpacing": [0.07, 0.07], "ImagerPixelSpacing": [0.07, 0.07]}, [0.07, 0.07], True),
        (
            {"Modality": "XA", "PixelSpacing": [0.2, 0.2], "ImagerPixelSpacing": [0.3, 0.3],
             "PixelSpacingCalibrationType": "FIDUCIAL"}, [0.2, 0.2], False,
        ),
    ],
)  # fmt: skip
def test_a_length_of_a_projection_is_one_on_its_detector_unless_it_was_calibrated(
    said: dict[str, Any], spacing: list[float], *, detector: bool
) -> None:
    made = phantom.image(size=16)
    del made.PixelSpacing
    for name, value in said.items():
        setattr(made, name, value)
    [(head, _pixels)] = asked(phantom.written(made), images=[[0, 0]])
    assert (head["spacing"], head["detector"]) == (spacing, detector)


def test_a_table_is_applied_to_the_true_values_and_shown_whole() -> None:
    """Stored 1024 to 1279, true 0 to 255: the table turns them over; black and white are those of its bits."""
    made = phantom.image(size=16)
    made.PixelData = np.arange(1024, 1280, dtype="<u2").tobytes()
    del made.WindowCenter, made.WindowWidth, made.WindowCenterWidthExplanation
    table = Dataset()
    table.LUTDescriptor, table.LUTExplanation, table.LUTData = (
        [256, 0, 16],
        "SEIN",
        np.arange(65535, -1, -257, dtype="<u2").tobytes(),
    )
    made.VOILUTSequence = [table]
    [(head, pixels)] = asked(phantom.written(made), images=[[0, 0]])
    assert pixels.flat[0] == 65535
    assert (pixels.flat[100], pixels.flat[255]) == (257 * 155, 0)
    assert (head["slope"], head["intercept"], head["windows"]) == (1, 0, [[32767.5, 65535, "SEIN"]])
    assert (head["mapped"], head["proposed"]) == (True, False)


def test_the_curve_of_a_window_is_said_and_a_window_of_ours_is_said_to_be() -> None:
    made = phantom.image(size=16)
    made.VOILUTFunction = "SIGMOID"
    [(head, _pixels)] = asked(phantom.written(made), images=[[0, 0]])
    assert (head["sigmoid"], head["proposed"], head["mapped"]) == (True, False, False)
    del made.VOILUTFunction, made.WindowCenter, made.WindowWidth
    [(head, _pixels)] = asked(phantom.written(made), images=[[0, 0]])
    assert (head["sigmoid"], head["proposed"]) == (False, True)


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
    for most, who in ((1, "b"), (2, "a")):  # none is free; the person has one already
        places = process.Places(most)
        monkeypatch.setattr(process, "_places", places)
        with places.held(who), pytest.raises(process.Failed, match="busy"):
            asked(data, apart=True)
    with places.held("a"), places.held("b"):
        pass


def test_whoever_asks_again_while_they_wait_keeps_one_waiting_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests of one person hold neither the places nor the threads of the others."""
    places, told = process.Places(1), []

    def ask() -> None:
        try:
            with places.held("a"):
                told.append("read")
        except process.Failed:
            told.append("busy")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    with places.held("b"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(0.2)
        assert (told, sum(thread.is_alive() for thread in threads)) == (["busy"] * 3, 1)
    for thread in threads:
        thread.join(60)
    assert told[3:] == ["read"]


@pytest.mark.parametrize(
    ("name", "born", "told"),
    [
        ("ZOLA^JEANNE", "19380201", SAME),
        ("HEBERT^JEANNE MARIE^^MME", "19380201", SAME),
        ("HÉBERT ZOLA JEANNE", "", SAME),
        ("ZOLA-HEBERT^MARIE LOUISE", "19380201", SAME),
        ("ZOLA JEANNE", "", SAME),
        ("MME HEBERT ZOLA MARIE", "", SAME),
        ("ZOLA EMILE", "", OTHER),
        ("ZOLA EMILE", "19380201", OTHER),
        ("ZOLA", "19380201", SAME),
        ("ZOLA", "", UNNAMED),
        ("HEBERT-ZOLA^", "", UNNAMED),
        ("TESTARD^EMILE", "", OTHER),
        ("ANONIER^EMILE", "", OTHER),
        ("TEST1^XXX", "", UNNAMED),
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
