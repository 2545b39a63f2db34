"""A fake clamd on a real socket: found, clean, silent, absent."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from relais.core.errors import Refused
from relais.files import actions
from relais.files.tests import make

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd(threading.Thread):
    """Speaks INSTREAM; keeps what it received."""

    def __init__(self, path: Path, answer: bytes | None = None) -> None:
        super().__init__(daemon=True)
        self.answer, self.received = answer, b""
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()

    def run(self) -> None:
        client, _ = self.listener.accept()
        with client, client.makefile("rb") as lines:
            assert lines.read(10) == b"zINSTREAM\0"
            while size := struct.unpack("!L", lines.read(4))[0]:
                self.received += lines.read(size)
            found = b"stream: Eicar-Signature FOUND" if EICAR in self.received else b"stream: OK"
            client.sendall((found if self.answer is None else self.answer) + b"\0")


@pytest.fixture
def path(tmp_path: Path, settings) -> Path:
    settings.ENV = settings.ENV | {"CLAMAV_SOCKET": str(tmp_path / "clamd")}
    return tmp_path / "clamd"


@pytest.fixture
def clamd(path: Path, request: pytest.FixtureRequest) -> Iterator[Clamd]:
    server = Clamd(path, getattr(request, "param", None))
    server.start()
    yield server
    server.listener.close()


def refusal(upload: bytes) -> str:
    with pytest.raises(Refused) as found:
        actions.check(upload, "note.txt")
    assert found.value.field == "file"
    return found.value.message


def test_a_clean_file_passes_and_was_scanned_whole_before_anything_opened_it(clamd: Clamd) -> None:
    upload = make.photo()
    actions.check(upload, "photo.jpg")
    clamd.join(60)
    assert clamd.received == upload


def test_an_infected_file_is_refused(clamd: Clamd) -> None:
    assert "virus" in refusal(b"Bonjour " + EICAR)


@pytest.mark.parametrize("clamd", [b"INSTREAM size limit exceeded. ERROR", b""], indirect=True)
def test_an_answer_that_is_not_yes_is_no(clamd: Clamd) -> None:
    assert "antivirus ne répond pas" in refusal(b"Bonjour")


def test_an_antivirus_that_is_down_refuses_every_file(path: Path) -> None:
    assert "antivirus ne répond pas" in refusal(b"Bonjour")


def test_without_a_socket_nothing_is_asked() -> None:
    assert actions.check(b"Bonjour", "note.txt").size == 7
