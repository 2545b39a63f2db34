"""Runs web and worker as children: starts them, starts them again when they die, stops them in order."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from relais.core import embedded, lifeline

BACK_OFF = (0.5, 1.0, 2.0, 5.0, 10.0)  # seconds before a child that died starts again
STEADY = 60.0  # seconds alive after which its failures are forgotten
TICK = 0.2


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, the terminal closed, or SIGTERM."""


class PortTaken(Exception):
    """The port cannot be had: the sentence says what to do."""


def stop_on_signals() -> None:
    """From now on Ctrl-C, SIGTERM and SIGHUP raise Stopped, once: what follows is the orderly end."""

    def stop(number: int, frame: Any) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def listen(port: int, *, everywhere: bool) -> list[socket.socket]:
    """The web server's sockets: the loopback's, or every address's. Raises PortTaken with one sentence.

    Bound here, before anything starts, and handed to the web server: visitors wait in them while it restarts.
    """
    found: list[socket.socket] = []
    addresses = [(socket.AF_INET, "0.0.0.0" if everywhere else "127.0.0.1")]  # noqa: S104 (asked for by HTTPS=1)
    if socket.has_ipv6:
        addresses.append((socket.AF_INET6, "::" if everywhere else "::1"))
    for family, address in addresses:
        listener = None
        try:
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
            listener.listen(256)
        except OSError as error:
            if listener:
                listener.close()
            if family == socket.AF_INET6 and error.errno not in (errno.EADDRINUSE, errno.EACCES):
                continue  # no IPv6 here
            for each in found:
                each.close()
            raise PortTaken(_refusal(port, error)) from None
        found.append(listener)
    return found


def _refusal(port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"Port {port} is reserved to root: choose another, `make run PORT=8000`."
    return f"Port {port} is in use: stop the program that holds it, or choose another, `make run PORT={port + 1}`."


@dataclass
class Child:
    """A process to keep alive."""

    name: str
    arguments: list[str]
    descriptors: tuple[int, ...] = ()
    patience: float = 15.0  # seconds between SIGTERM and SIGKILL
    process: subprocess.Popen | None = None
    started: float = 0.0
    failures: int = 0
    again_at: float = field(default=0.0)

    def start(self, lifeline_end: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *self.arguments],
            cwd=embedded.ROOT,
            env=os.environ | {lifeline.VARIABLE: str(lifeline_end)},
            stdin=subprocess.DEVNULL,
            pass_fds=(lifeline_end, *self.descriptors),
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops its children in order
        )
        self.started = time.monotonic()

    def stop(self) -> None:
        if not self.process or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Use as a context: leaving it, however one leaves, stops the children in the order they were given."""

    def __init__(self, children: list[Child], say: Callable[[str], None]) -> None:
        self.children = children
        self.say = say
        self._lifeline, self._held = os.pipe()

    def __enter__(self) -> "Supervisor":
        for child in self.children:
            child.start(self._lifeline)
        return self

    def __exit__(self, *exception: object) -> None:
        for child in self.children:
            child.stop()
        os.close(self._held)
        os.close(self._lifeline)

    def tick(self) -> None:
        """Look at each child once; say what happened to one that died and start it again after its back-off."""
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.again_at:
                    child.start(self._lifeline)
            elif child.process.poll() is not None:
                if now - child.started > STEADY:
                    child.failures = 0
                wait = BACK_OFF[min(child.failures, len(BACK_OFF) - 1)]
                self.say(f"The {child.name} stopped (status {child.process.returncode}): again in {wait:g} s.")
                child.failures += 1
                child.again_at = now + wait
                child.process = None
