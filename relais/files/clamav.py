"""Antivirus: the bytes go to clamd through its socket, when the installation has one. No answer means no."""

import socket
import struct
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from relais.core.errors import Refused

BLOCK = 1 << 16
PATIENCE = 60.0  # seconds for each exchange


def scan(stream: IO[bytes]) -> None:
    """Refused when clamd finds something, or does not answer (fail closed); nothing is asked without CLAMAV_SOCKET."""
    if not (path := settings.ENV["CLAMAV_SOCKET"]):
        return
    try:
        answer = _ask(path, stream)
    except OSError:
        answer = ""
    finally:
        stream.seek(0)
    if answer.endswith("FOUND"):
        raise Refused(_("Ce fichier contient un virus : il n’a pas été gardé. Prévenez son auteur."), field="file")
    if not answer.endswith("OK"):
        raise Refused(
            _("L’antivirus ne répond pas : le fichier n’a pas été gardé. Réessayez dans quelques minutes."),
            field="file",
        )


def _ask(path: str, stream: IO[bytes]) -> str:
    stream.seek(0)
    with socket.socket(socket.AF_UNIX) as clamd:
        clamd.settimeout(PATIENCE)
        clamd.connect(path)
        clamd.sendall(b"zINSTREAM\0")
        while block := stream.read(BLOCK):
            clamd.sendall(struct.pack("!L", len(block)) + block)
        clamd.sendall(struct.pack("!L", 0))
        answer = b""
        while not answer.endswith(b"\0") and (part := clamd.recv(4096)):
            answer += part
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
