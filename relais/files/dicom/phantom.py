"""A scan of nobody, drawn by code: a head and a collection beside its brain, for the demonstration and the tests."""

import io
import zipfile
from datetime import date
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

ROOT = "2.25.217406823"  # of identifiers made up: no machine bears it
MIDDLE = 8  # number of the slice in which the head is widest


def slice_of_head(number: int, of: int, size: int = 256, seed: int = 7) -> Any:
    """Hounsfield units of one axial slice (size × size), from the base of the skull up."""
    down, right = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    rise = (number - of / 2) / (of / 2) * 0.75
    head = float(np.sqrt(1 - rise**2))
    noise = np.random.default_rng(seed + number).normal(0, 5, (size, size))

    def within(x: float, y: float, wide: float, high: float, turn: float = 0.0) -> Any:
        cos, sin = np.cos(turn), np.sin(turn)
        along, over = (
            (right - x * head) * cos + (down - y * head) * sin,
            (down - y * head) * cos - (right - x * head) * sin,
        )
        return (along / (wide * head)) ** 2 + (over / (high * head)) ** 2 <= 1

    found = np.full((size, size), -1000.0)
    found[within(0, 0, 0.70, 0.88)] = 20  # skin
    found[within(0, 0, 0.66, 0.84)] = 1100  # bone
    found[
        within(0, 0, 0.66, 0.84) & ~within(0, 0, 0.64, 0.82) | within(0, 0, 0.62, 0.80) & ~within(0, 0, 0.605, 0.785)
    ] = 1400
    brain = within(0, 0, 0.60, 0.78)
    folds = 4 * np.sin(26 * np.arctan2(down, right)) * within(0, 0, 0.60, 0.78) * ~within(0, 0, 0.50, 0.68)
    found[brain] = 37
    found[within(0, 0, 0.50, 0.68)] = 29  # white matter
    for side in (-1, 1):
        found[within(0.16 * side, 0.05, 0.11, 0.17, 0.2 * side)] = 38  # grey nuclei
        if number > of / 4:
            found[within(0.075 * side, -0.16, 0.055, 0.19, -0.32 * side)] = 9  # front horns
            found[within(0.12 * side, 0.33, 0.06, 0.20, 0.35 * side)] = 9
    found[within(0, -0.66, 0.008, 0.12) | within(0, 0.66, 0.008, 0.12)] = 60  # falx
    crescent = brain & ~within(0.11, 0.0, 0.60, 0.80) & (right < 0) & (abs(number - of * 0.55) < of * 0.3)
    found[crescent] = 68
    found[brain & ~crescent] += folds[brain & ~crescent]
    return np.clip(found + noise * (found > -900), -1024, 3000)


def image(
    number: int = MIDDLE,
    *,
    of: int = 16,
    name: str = "",
    born: date | None = None,
    size: int = 256,
    day: date | None = None,
) -> Dataset:
    """One slice as a scanner writes it, of the patient named as it names them (FAMILY^GIVEN)."""
    made, meta = Dataset(), FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.SOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = UID(f"{ROOT}.1.{number + 1}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta = meta
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName, made.PatientID, made.PatientBirthDate = name, "DEMO", f"{born:%Y%m%d}" if born else ""
    made.PatientSex, made.Modality, made.StudyDate = "", "CT", f"{day:%Y%m%d}" if day else ""
    made.StudyDescription, made.SeriesDescription, made.BodyPartExamined = "Scanner cérébral", "Cérébral 5 mm", "HEAD"
    made.StudyInstanceUID, made.SeriesInstanceUID = UID(f"{ROOT}.2"), UID(f"{ROOT}.3")
    made.SeriesNumber, made.InstanceNumber = 2, number + 1
    made.ImageOrientationPatient, made.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-115, -115, 5 * number]
    made.PixelSpacing, made.SliceThickness = [230 / size, 230 / size], 5
    made.Rows = made.Columns = size
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 12, 11
    made.RescaleSlope, made.RescaleIntercept = 1, -1024
    made.WindowCenter, made.WindowWidth, made.WindowCenterWidthExplanation = [40, 500], [80, 2000], ["CERVEAU", "OS"]
    made.PixelData = (slice_of_head(number, of, size) + 1024).astype("<u2").tobytes()
    return made


def written(made: Dataset) -> bytes:
    """The bytes of a DICOM file."""
    kept = io.BytesIO()
    made.save_as(kept, enforce_file_format=True)
    return kept.getvalue()


def series(of: int = 16, **said: Any) -> bytes:
    """All the slices in one ZIP, in an order that is not theirs."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in sorted(range(of), key=lambda one: (one * 7) % of):
            entry = zipfile.ZipInfo(f"IMG{(number * 7 + 3) % of:04d}.dcm")  # dated 1980: the same bytes each time
            archive.writestr(entry, written(image(number, of=of, **said)), zipfile.ZIP_DEFLATED)
    return kept.getvalue()
