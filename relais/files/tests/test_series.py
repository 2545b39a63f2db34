"""A large series of DICOM images comes as one ZIP; any other ZIP is refused."""

import io
import tracemalloc
import zipfile

import pytest

from relais.core.errors import Refused
from relais.files import content

IMAGE = b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0\0\0\0\0"


def packed(how: int = zipfile.ZIP_DEFLATED, /, **files: bytes) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(f"serie/{name}", data)
    return made


SEVERAL = packed(a=IMAGE, b=IMAGE, c=IMAGE)


@pytest.mark.req("TE-01")
def test_a_zip_of_dicom_images_is_a_series() -> None:
    assert content.recognise(packed(a=IMAGE, b=IMAGE, DICOMDIR=IMAGE), "serie.zip") is content.SERIES


@pytest.mark.parametrize("other", [{"a": IMAGE, "lisez_moi": b"MZ\x90"}, {}, {"a": b"DICM"}])
def test_a_zip_of_anything_else_is_refused(other: dict[str, bytes]) -> None:
    with pytest.raises(Refused):
        content.recognise(packed(**other), "serie.zip")


@pytest.mark.parametrize(
    "name", ["radio.exe", "../dehors.dcm", "a/../../dehors.dcm", "..\\dehors", "/etc/cron.d/image", "image.dcm.lnk"]
)
def test_an_image_whose_name_leads_out_or_runs_is_refused(name: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, IMAGE)
    with pytest.raises(Refused):
        content.recognise(made, "serie.zip")


@pytest.mark.parametrize("start", [b"MZ", b"\x7fELF", b"#!/bin/sh\n"])
def test_a_program_that_wears_the_mark_of_an_image_is_refused(start: bytes) -> None:
    with pytest.raises(Refused):
        content.recognise(packed(a=start + IMAGE[len(start) :]), "serie.zip")


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_way_of_packing_that_cannot_be_unpacked_little_by_little_is_refused(how: int) -> None:
    bomb = packed(how, a=IMAGE + bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(Refused):
        content.recognise(bomb, "serie.zip")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_a_zip_whose_list_would_fill_the_memory_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "LONGEST_LIST", 100)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(Refused):
        content.recognise(SEVERAL, "serie.zip")


def test_a_series_that_would_fill_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST_UNPACKED", 1000)
    with pytest.raises(Refused):
        content.recognise(packed(a=IMAGE + bytes(2000)), "serie.zip")
