"""`manage.py sfu`: the video relay of rooms of many (Janus), with a configuration of ours and none of the system's."""

import ctypes
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from relais.core import embedded
from relais.rooms import sfu

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
SESSION_SECONDS = 45  # pages say every ten seconds that they are there

CORE = """general: {{
  configs_folder = "{folder}"
  plugins_folder = "{library}/plugins"
  transports_folder = "{library}/transports"
  events_folder = "{library}/events"
  loggers_folder = "{library}/loggers"
  log_to_stdout = false
  log_to_file = "{log}"
  debug_level = 2
  debug_colors = false
  api_secret = "{secret}"
  session_timeout = {session}
  server_name = "relais"
  hide_dependencies = true
}}
media: {{
  ipv6 = true
  no_media_timer = 0
{ports}}}
nat: {{
  nice_debug = false
{nat}}}
plugins: {{
  disable = "{plugins}"
}}
transports: {{
  disable = "{transports}"
}}
loggers: {{
  disable = "libjanus_jsonlog.so"
}}
events: {{
  broadcast = false
}}
"""
HTTP = """general: {{
  json = "compact"
  base_path = "/janus"
  http = true
  port = {port}
  ip = "{address}"
  https = false
}}
admin: {{
  admin_http = false
  admin_https = false
}}
"""
VIDEOROOM = "general: {\n  string_ids = true\n}\n"


class Command(BaseCommand):
    help = "Run the video relay of rooms of more than four people: Janus, until it is stopped."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        program, library = shutil.which("janus"), sfu.library()
        if not program or not library:
            sys.exit(
                "Relais: Janus is not installed (Debian: apt install janus). Rooms of many fall back to four people."
            )
        address = urlsplit(sfu.local_url())
        if not address.port:
            sys.exit("Relais: SFU_PORT says on which port of the loopback Janus listens.")
        home = settings.HOME / "janus"
        ids = _identity(home)
        embedded.make_home(settings.HOME)
        embedded.own(home, ids)
        _sweep(home)
        folder = home / str(os.getpid())  # Janus takes this process's place, and its number
        _write(folder, ids, configuration(folder, library, address.hostname or "127.0.0.1", address.port))
        if ids:
            os.setgroups([])
            os.setgid(ids[1])
            os.setuid(ids[0])
        _die_with_parent()
        os.chdir(folder)
        environment = {"PATH": os.defpath, "LC_ALL": "C"}
        os.execve(program, [program, "-F", str(folder), "-C", str(folder / "janus.jcfg")], environment)  # noqa: S606


def configuration(folder: Path, library: Path, address: str, port: int) -> dict[str, str]:
    """The three files of Janus by name: one plugin, one transport on `address`, no admin interface, no recording."""
    plugins = [path.name for path in sorted((library / "plugins").glob("*.so")) if "videoroom" not in path.name]
    transports = [path.name for path in sorted((library / "transports").glob("*.so")) if "http" not in path.name]
    ports, public = settings.ENV["SFU_MEDIA_PORTS"], settings.ENV["SFU_PUBLIC_ADDRESS"]
    core = CORE.format(
        folder=folder,
        log=folder.parent / "janus.log",
        library=library,
        secret=sfu.secret(),
        session=SESSION_SECONDS,
        ports=f'  rtp_port_range = "{ports}"\n' if ports else "",
        nat=f'  nat_1_1_mapping = "{public}"\n' if public else "",
        plugins=",".join(plugins),
        transports=",".join(transports),
    )
    return {
        "janus.jcfg": core,
        "janus.transport.http.jcfg": HTTP.format(port=port, address=address),
        "janus.plugin.videoroom.jcfg": VIDEOROOM,
    }


def _identity(folder: Path) -> tuple[int, int] | None:
    """Who Janus runs as: the current user; root lends it a uid that nobody has, and that is not the database's."""
    if os.geteuid() != 0:
        return None
    if folder.exists():
        found = folder.stat()
        return found.st_uid, found.st_gid
    database = embedded.owner(settings.HOME)
    uid = (database[0] if database else 50000) + 10000
    return uid, uid


def _sweep(home: Path) -> None:
    """Configurations of relays that run no more."""
    for folder in home.iterdir():
        if folder.name.isdigit() and (not _runs(int(folder.name)) or int(folder.name) == os.getpid()):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write(folder: Path, ids: tuple[int, int] | None, files: dict[str, str]) -> None:
    embedded.own(folder, ids)
    for name, text in files.items():
        path = folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        if ids:
            os.chown(path, *ids)


def _die_with_parent() -> None:
    """Janus has no lifeline of ours: on Linux it is told to stop when the supervisor is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
