"""A large series of DICOM images comes as one ZIP; any other ZIP is refused."""

import io
import zipfile

import pytest

from relais.core.errors import Refused
from relais.files import content

IMAGE = b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0\0\0\0\0"


def packed(**files: bytes) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"serie/{name}", data)
    return made


@pytest.mark.req("TE-01")
def test_a_zip_of_dicom_images_is_a_series() -> None:
    assert content.recognise(packed(a=IMAGE, b=IMAGE, DICOMDIR=IMAGE), "serie.zip") is content.SERIES


@pytest.mark.parametrize("other", [{"a": IMAGE, "lisez_moi": b"MZ\x90"}, {}, {"a": b"DICM"}])
def test_a_zip_of_anything_else_is_refused(other: dict[str, bytes]) -> None:
    with pytest.raises(Refused):
        content.recognise(packed(**other), "serie.zip")


def test_a_series_that_would_fill_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MOST_UNPACKED", 1000)
    with pytest.raises(Refused):
        content.recognise(packed(a=IMAGE + bytes(2000)), "serie.zip")
