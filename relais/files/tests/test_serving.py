"""How a file leaves: what may be shown, what is only downloaded, what is said about it."""

import pytest

from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.files import actions, vault
from relais.files.serving import serve
from relais.files.tests import make

pytestmark = pytest.mark.django_db


def stored(upload: bytes, name: str):
    return actions.store(actor=SYSTEM_ACTOR, upload=upload, name=name)


def body(response) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize(
    ("upload", "name", "shown"),
    [
        (make.pdf(), "a.pdf", True),
        (make.picture(), "a.jpg", True),
        (make.picture("PNG"), "a.png", True),
        (make.MP4, "a.mp4", True),
        (make.WEBM, "a.webm", True),
        (b"Bonjour", "a.txt", False),
        (make.docx(), "a.docx", False),
        (make.DICOM, "a.dcm", False),
    ],
)
def test_only_what_cannot_run_is_shown_in_the_page_and_only_when_asked(upload, name, shown) -> None:
    file = stored(upload, name)
    assert serve(file)["Content-Disposition"].startswith("attachment")
    assert serve(file, inline=True)["Content-Disposition"].startswith("inline" if shown else "attachment")


def test_an_answer_is_never_guessed_run_framed_or_kept_by_a_cache() -> None:
    response = serve(stored(b"Bonjour", "note.txt"))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert "sandbox" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_the_whole_file_is_streamed_with_its_size_and_its_name() -> None:
    upload = "Fièvre. ".encode() * 50_000
    response = serve(stored(upload, "Été 2026, d'Arc.txt"))
    assert response["Content-Length"] == str(len(upload))
    assert "filename*=utf-8''%C3%89t%C3%A9%202026%2C%20d%27Arc.txt" in response["Content-Disposition"]
    assert body(response) == upload


@pytest.mark.parametrize(
    ("wanted", "status", "span"),
    [
        ("bytes=0-1", 206, (0, 1)),
        ("bytes=9000-20000", 206, (9000, 20000)),
        ("bytes=9000-", 206, (9000, None)),
        ("bytes=-10", 206, (-10, None)),
        ("bytes=5-99999999", 206, (5, None)),
        ("bytes=99999999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=0-1,4-5", 200, (0, None)),
        ("bytes=-", 200, (0, None)),
        ("lines=1-2", 200, (0, None)),
        ("", 200, (0, None)),
    ],
)
def test_a_video_comes_by_the_span_of_bytes_that_a_player_asks(wanted, status, span) -> None:
    upload = make.MP4 + bytes(range(256)) * 200
    response = serve(stored(upload, "a.mp4"), inline=True, wanted=wanted)
    assert response.status_code == status
    if span is None:
        assert response["Content-Range"] == f"bytes */{len(upload)}"
        return
    first, last = span
    sent = upload[first : None if last is None else last + 1]
    assert (body(response), response["Content-Length"]) == (sent, str(len(sent)))
    assert response["Accept-Ranges"] == "bytes"
    if status == 206:
        at = first % len(upload)
        assert response["Content-Range"] == f"bytes {at}-{at + len(sent) - 1}/{len(upload)}"


def test_a_download_comes_whole_whatever_span_is_asked() -> None:
    file = stored(make.MP4, "a.mp4")
    assert (serve(file, wanted="bytes=0-1").status_code, serve(file)["Content-Length"]) == (200, str(len(make.MP4)))


def test_a_sealed_file_is_not_served() -> None:
    file = stored(make.pdf(), "a.pdf")
    actions.seal(file)
    with pytest.raises(NotFound):
        serve(file)


def test_a_file_that_the_disk_has_lost_is_told_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    file = stored(make.pdf(), "a.pdf")
    vault.path_of(file.pk).unlink()
    with pytest.raises(Refused, match="Prévenez le support"):
        serve(file)
    assert str(file.pk) in caplog.text
