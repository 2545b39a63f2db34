"""Everything between a fresh clone and a running or tested Relais: `python3 bootstrap.py run|test|check|fix|install`.

Standard library only; parses on Python 3.6, so that an old one gets its sentence and not a traceback.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

OLDEST_PYTHON = (3, 11)
NODE_FOR_RUN = (18,)
NODE_FOR_CHECKS = (20, 19)
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MODULES = ROOT / "node_modules"
STAMP = ".relais-installed.json"
# The whole suite: three processes, in which browser tests keep their place at the end and calls never meet one another.
WHOLE = ("-n", "3", "--dist", "loadgroup", "--no-loadscope-reorder")


def stop(sentence):
    sys.exit("Relais: " + sentence)


def check_python(version=None):
    """Stop with a sentence when this Python is older than ours."""
    version = version or sys.version_info
    if tuple(version[:2]) < OLDEST_PYTHON:
        found, wanted = (".".join(str(part) for part in each[:2]) for each in (version, OLDEST_PYTHON))
        stop(
            f"Python {wanted} or newer is needed and this one is {found}: install a newer one, then name it, "
            f"`make PYTHON=python{wanted} run`."
        )


def check_venv():
    """Stop with a sentence when the standard library lacks what makes a virtual environment (Debian's does)."""
    try:
        import ensurepip  # noqa: F401, PLC0415 (asked for, not used)
        import venv  # noqa: F401, PLC0415
    except ImportError:
        stop("Python's venv module is missing: install it (`apt install python3-venv` on Debian), then try again.")


@contextlib.contextmanager
def step(label):
    print(label + " …", end=" ", flush=True)
    begun = time.monotonic()
    yield
    print(f"{time.monotonic() - begun:.1f} s", flush=True)


def digest(*names):
    """One hash for the content of several files of the checkout."""
    content = b"\0".join((ROOT / name).read_bytes() for name in names)
    return hashlib.sha256(content).hexdigest()


def installed(folder):
    try:
        return json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}


def note(folder, **hashes):
    (folder / STAMP).write_text(json.dumps({**installed(folder), **hashes}))


def quietly(arguments, log, failure, **options):
    """Run a command with its output in `log`; stop with `failure` and the way to that log when it fails."""
    with log.open("wb") as output:
        result = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False, **options
        )
    if result.returncode:
        print()
        text = log.read_text(errors="replace")
        if any(sign in text for sign in OFFLINE):
            stop(f"{failure}: the package server cannot be reached. Check the network or its proxy ({log}).")
        last = [line.strip() for line in text.split("\n") if line.strip()][-1:]
        stop(f"{failure} ({' '.join(last)[:200]}): see {log}.")


OFFLINE = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "Connection refused",
    "timed out",
    "ECONNREFUSED",
    "ENOTFOUND",
    "EAI_AGAIN",
    "ETIMEDOUT",
    "ENETUNREACH",
)


def pip(*locks):
    # A lock is whole and hashed: nothing to resolve, nothing to build. Byte code of what is used comes by itself.
    requirements = [part for lock in locks for part in ("-r", str(ROOT / lock))]
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile"]
    return [str(PYTHON), "-m", "pip", "install", *options, *requirements]


def install_python(*, dev):
    """The virtual environment and the packages of the lock files, unless they are there already."""
    if VENV.is_symlink():
        return  # shared by several worktrees: whoever made the link looks after it
    probe = [str(PYTHON), "-m", "pip", "--version"]
    if not PYTHON.exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        check_venv()
        with step("Virtual environment"):
            shutil.rmtree(VENV, ignore_errors=True)
            quietly([sys.executable, "-m", "venv", str(VENV)], ROOT / ".venv.log", "No virtual environment")
            (ROOT / ".venv.log").unlink()
    run, all_of_it = digest("requirements.lock"), digest("requirements.lock", "requirements-dev.lock")
    found = installed(VENV)
    if found.get("run") != run or (dev and found.get("dev") != all_of_it):
        lock = "requirements-dev.lock" if dev else "requirements.lock"
        with step("Python packages"):
            quietly(pip(lock), VENV / "pip.log", "The Python packages cannot be installed")
        note(VENV, run=run, **({"dev": all_of_it} if dev else {}))


def node_version(program):
    """Version of a node program as a tuple, () without one."""
    try:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        return tuple(int(part) for part in text.strip().lstrip("v").split("."))
    except (OSError, ValueError, subprocess.CalledProcessError):
        return ()


def node_path(*, dev):
    """A PATH on which `node` and `npm` are recent enough: the machine's, else the one from requirements-node.lock."""
    path = os.environ.get("PATH", os.defpath)
    wanted = NODE_FOR_CHECKS if dev else NODE_FOR_RUN
    if shutil.which("npm") and node_version("node") >= wanted:
        return path
    lock = digest("requirements-node.lock")
    if installed(VENV).get("node") != lock:
        with step("Node"):
            quietly(pip("requirements-node.lock"), VENV / "pip-node.log", "Node cannot be installed")
        note(VENV, node=lock)
    return f"{VENV / 'bin'}{os.pathsep}{path}"


def install_assets(*, dev):
    """The browser assets and the embedded PostgreSQL of package-lock.json, unless they are there already."""
    if MODULES.is_symlink():
        return
    lock = digest("package-lock.json", "package.json", ".npmrc")
    found = installed(MODULES)
    if found.get("dev") == lock or (not dev and found.get("run") == lock):
        return
    log = ROOT / ".npm.log"
    environment = {**os.environ, "PATH": node_path(dev=dev)}
    with step("Browser assets and database"):
        quietly(
            ["npm", "ci", "--no-progress", *([] if dev else ["--omit=dev"])],
            log,
            "The browser assets cannot be installed",
            cwd=str(ROOT),
            env=environment,
        )
    log.unlink()
    note(MODULES, **{"dev" if dev else "run": lock})


def install(*, dev):
    with (ROOT / "bootstrap.py").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands started at once install once
        install_python(dev=dev)
        install_assets(dev=dev)


def browser():
    """The path of a Chromium, installed when it is missing and we may; stop with a sentence otherwise."""
    given = os.environ.get("CHROMIUM", "")
    found = next((path for path in map(shutil.which, [given] if given else BROWSERS) if path), None)
    if not found and not given and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("Chromium"):
            log = VENV / "apt.log"
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            quietly(["apt-get", "update"], log, "Chromium cannot be installed", env=quiet)
            # Without window and bars it takes half the processor; older Debians have the whole browser alone.
            install_it = ["apt-get", "install", "-y", "--no-install-recommends"]
            first = subprocess.run([*install_it, BROWSERS[0]], capture_output=True, env=quiet, check=False)
            if first.returncode:
                quietly([*install_it, "chromium"], log, "Chromium cannot be installed", env=quiet)
        found = shutil.which(BROWSERS[0]) or shutil.which("chromium")
    if not found:
        stop(
            "The browser tests need Chromium: install it (`apt install chromium-headless-shell`), or name one with CHROMIUM=."
        )
    return found


def proxy():
    """The path of an nginx for the tests of deploy/, "" without one (they are then skipped).

    As root on Debian its package is unpacked, not installed: installing it would start a server on port 80.
    """
    unpacked = VENV / "nginx"
    known = [os.environ.get("NGINX", ""), "nginx", "/usr/sbin/nginx", str(unpacked / "usr" / "sbin" / "nginx")]
    found = next((path for path in map(shutil.which, filter(None, known)) if path), "")
    if not found and os.geteuid() == 0 and shutil.which("apt-get"):
        with step("nginx"):
            shutil.rmtree(unpacked, ignore_errors=True)
            unpacked.mkdir()
            for arguments in (["apt-get", "update"], ["apt-get", "download", "nginx"]):
                subprocess.run(arguments, cwd=str(unpacked), capture_output=True, check=False)
            for package in unpacked.glob("nginx_*.deb"):
                subprocess.run(["dpkg", "-x", str(package), str(unpacked)], capture_output=True, check=False)
        found = shutil.which(known[-1]) or ""
    return found


CHECKS = (  # the longest first: it runs beside all others
    ("types", ["python", "-m", "mypy", "."]),
    ("format", ["python", "-m", "ruff", "format", "--check", "--quiet", "."]),
    ("lint", ["python", "-m", "ruff", "check", "--quiet", "."]),
    ("settings", ["python", "manage.py", "check", "--fail-level", "WARNING"]),
    ("settings table", ["python", "manage.py", "settings_table", "--check"]),
    ("features", ["python", "manage.py", "features", "--check"]),
    ("migrations", ["python", "-W", "ignore::RuntimeWarning", "manage.py", "makemigrations", "--check", "--dry-run"]),
    ("lock files", ["python", "bootstrap.py", "locks"]),
    ("layers", ["lint-imports", "--no-cache"]),
    # What can be collected, and its byte code for the processes that will run it.
    ("tests", ["python", "-m", "pytest", "--collect-only", "-q"]),
    ("scripts", ["node", "node_modules/eslint/bin/eslint.js", "."]),
)


def run_check(item):
    """Label, whether it passed, seconds and output of one of CHECKS."""
    label, arguments = item
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{node_path(dev=True)}"}
    program = [str(VENV / "bin" / arguments[0]), *arguments[1:]] if arguments[0] != "node" else arguments
    begun = time.monotonic()
    result = subprocess.run(
        program,
        cwd=str(ROOT),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return label, not result.returncode, time.monotonic() - begun, result.stdout


def check():
    """Every check that needs no running server; all of them run, whatever the first ones say, two at a time."""
    node_path(dev=True)  # installs node once, where it must
    failures = []
    with ThreadPoolExecutor(2) as pool:
        for done in as_completed([pool.submit(run_check, item) for item in CHECKS]):
            label, passed, seconds, output = done.result()
            print(f"{label:15} {'ok' if passed else 'FAILED':7} {seconds:5.1f} s", flush=True)
            if not passed:
                print(output, flush=True)
                failures.append(label)
    if failures:
        stop("these checks fail: " + ", ".join(failures) + ".")


ADDRESS = {"requirements": ("://", "--index", "--extra-index", "--find-links"), "package": ('"resolved"',)}


def check_locks():
    """Stop when a lock file names a server: packages come from wherever the machine is set to look, by hash."""
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock", "package-lock.json"):
        for number, line in enumerate((ROOT / name).read_text().split("\n"), 1):
            if any(sign in line for sign in ADDRESS[name.partition("-")[0].partition(".")[0]]):
                stop(f"{name}, line {number}, names a server: {line.strip()[:120]}")


def fix():
    """Format, mend what the linter can mend, and write the pages that come from the code."""
    for arguments in (["-m", "ruff", "check", "--fix", "--quiet", "."], ["-m", "ruff", "format", "."]):
        subprocess.run([str(PYTHON), *arguments], cwd=str(ROOT), check=False)
    for page in ("settings_table", "features"):
        subprocess.run([str(PYTHON), "manage.py", page], cwd=str(ROOT), check=False)


def become(*arguments, **variables):
    """Go on as that program, so that signals reach it and no process of ours stays between."""
    os.chdir(ROOT)
    os.environ.update(variables)
    os.execv(str(PYTHON), [str(PYTHON), *arguments])  # noqa: S606 (no shell on purpose)


def main(arguments):
    # A site is several programs and a test run some seventy: without kept byte code each compiles everything anew, three
    # seconds of one core. (pip is told to compile nothing: what is used comes by itself.)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command, rest = (arguments or ["help"])[0], arguments[1:]
    if command == "run":
        install(dev=False)
        become("manage.py", "up", *rest)
    elif command == "manage":
        install(dev=False)
        become("manage.py", *rest)
    elif command == "test":
        install(dev=True)
        become("-m", "pytest", *(rest or WHOLE), CHROMIUM=browser(), NGINX=proxy())
    elif command == "check":
        install(dev=True)
        check()
    elif command == "fix":
        install(dev=True)
        fix()
    elif command == "locks":
        check_locks()
    elif command == "install":
        install(dev="--dev" in rest)
    else:
        stop("python3 bootstrap.py run | test | check | fix | manage … | install [--dev]")


if __name__ == "__main__":
    check_python()
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        stop("stopped.")
