"""deploy/ as it is shipped: nginx before a production site on an external database, on the loopback."""

import configparser
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from django.core.management import get_commands
from psycopg import sql

from config.environment import TABLE
from relais.core import certificate

ROOT: Path = settings.BASE_DIR
DEPLOY = ROOT / "deploy"
START = 60.0  # seconds for a program to answer, on a machine that does other things
MB = 1024 * 1024

# A member of an establishment with a session, as the site itself would have made them; nobody is synthetic.
PEOPLE = """
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.core.live import sign
member = make_member(make_establishment(synthetic=False), synthetic=False)
print("MADE", client_of(member).session.session_key, sign("deploy:1"))
"""
PING = "from django.db import transaction\nfrom relais.core.live import ping\nwith transaction.atomic(): ping('deploy:1', urgent=True)"
PERSONA = """
from relais.accounts.models import User
User.objects.create_user("persona@exemple.test", "mot de passe de demo", family_name="P", given_name="P", synthetic=True)
"""


def nginx_program() -> str:
    """The path of nginx; skips without one."""
    found = os.environ.get("NGINX") or shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if not found:
        pytest.skip("nginx is not installed here and could not be: apt install nginx")
    return found


def dashed(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


def answer_of(connection: http.client.HTTPConnection) -> Answer:
    """The answer, read; the connection is closed."""
    with closing(connection):
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read().decode(errors="replace"))


@dataclass
class Site:
    """The site as a browser sees it, through nginx."""

    folder: Path
    environment: dict[str, str]
    https_port: int
    http_port: int
    session: str = ""
    topic: str = ""

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.folder / "chain.pem"))

    def manage(self, *arguments: str, **more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def connect(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("localhost", self.https_port, timeout=START, context=self.tls)

    def ask(self, path: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
        """Header names have _ for -."""
        connection = self.connect()
        connection.request(method, path, body=body, headers=dashed(headers))
        return answer_of(connection)

    def signed_in(self, **more: str) -> dict[str, str]:
        """Headers of the member's browser, with a token for forms."""
        token = secrets.token_hex(16)
        return {
            "Cookie": f"relais_session={self.session}; csrftoken={token}",
            "X_CSRFToken": token,
            "Origin": f"https://localhost:{self.https_port}",
            "Referer": f"https://localhost:{self.https_port}/",
            **more,
        }


@pytest.fixture(scope="module")
def database(django_db_setup: None) -> Iterator[str]:
    """An external database, as DATABASE_URL names it: its owner is no superuser."""
    server = settings.DATABASES["default"]
    name = f"deploy_{secrets.token_hex(4)}"
    who = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **who) as owner:
        row = owner.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False,)
        owner.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            place = f"host={quote(server['HOST'], safe='')}&port={server['PORT']}"
            yield f"postgresql://{quote(server['USER'])}:{quote(server['PASSWORD'], safe='')}@/{name}?{place}"
        finally:
            owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    program = nginx_program()
    folder = tmp_path_factory.mktemp("deploy")
    folder.chmod(0o755)
    https_port, http_port, web_port = free_port(), free_port(), free_port()
    named = {setting.name for setting in TABLE}
    environment = {key: value for key, value in os.environ.items() if key not in named}
    environment |= {
        "RELAIS_MODE": "production",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": database,
        "PUBLIC_URL": f"https://localhost:{https_port}",
        "ALLOWED_HOSTS": "localhost",
        "PORT": str(web_port),
        "TRUSTED_PROXY": "1",
        "RELAIS_HOME": str(folder / "home"),
        "STATIC_DIR": str(folder / "static"),
    }
    here = Site(folder, environment, https_port, http_port)
    for arguments in (["files_key"], ["secrets_key"], ["migrate", "-v0"], ["collectstatic", "--noinput", "-v0"]):
        done = here.manage(*arguments)
        assert done.returncode == 0, done.stderr
    made = here.manage("shell", "-v0", "-c", PEOPLE)
    _, here.session, here.topic = made.stdout[made.stdout.index("MADE") :].split()
    with running(here, program, web_port):
        yield here


@contextmanager
def running(site: Site, program: str, web_port: int) -> Iterator[None]:
    """The web server and nginx, until the end of the `with`."""
    chain, key = certificate.ensure(site.folder / "tls")
    shutil.copy(chain, site.folder / "chain.pem")
    configuration = site.folder / "nginx.conf"
    configuration.write_text(main_configuration(site, chain, key, web_port))
    nginx = [program, "-e", "stderr", "-p", str(site.folder), "-c", str(configuration), "-g", "daemon off;"]
    with (site.folder / "log").open("w") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "manage.py", "web"], cwd=ROOT, env=site.environment, stdout=log, stderr=log
            ),
            subprocess.Popen(nginx, stdout=log, stderr=log),
        ]
        try:
            wait_for(site, processes)
            yield
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()


def wait_for(site: Site, processes: list[subprocess.Popen]) -> None:
    """Until the first page is answered. Fails with what the programs said."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        try:
            if site.ask("/bienvenue/").status == 200:
                return
        except OSError:
            pass  # not listening yet
        time.sleep(0.2)
    pytest.fail((site.folder / "log").read_text())


def main_configuration(site: Site, chain: Path, key: Path, web_port: int) -> str:
    """deploy/nginx.conf with the lines marked CHANGE changed, inside what Debian's nginx.conf puts around it."""
    text = (DEPLOY / "nginx.conf").read_text()
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{web_port}",
        "listen 443 ssl": f"listen 127.0.0.1:{site.https_port} ssl",
        "listen 80 ": f"listen 127.0.0.1:{site.http_port} ",
        "https://relais.example.fr": f"https://localhost:{site.https_port}",
        "relais.example.fr": "localhost",
        "/etc/ssl/relais/fullchain.pem": str(chain),
        "/etc/ssl/relais/privkey.pem": str(key),
        "/var/www/relais/static/": f"{site.folder}/static/",
        "/var/log/nginx/relais-error.log": f"{site.folder}/nginx-error.log",
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    temporary = "\n".join(
        f"{kind}_temp_path {site.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    types = "types { text/css css; application/javascript js; image/svg+xml svg; font/woff2 woff2; }"
    return (
        f"{user}\npid {site.folder}/nginx.pid;\nevents {{}}\n"
        f"http {{\n{types}\ndefault_type application/octet-stream;\n{temporary}\n{text}\n}}\n"
    )


def once(answer: Any, name: str) -> str:
    """The one value of a header."""
    values = answer.headers.get_all(name) or []
    assert len(values) == 1, (name, values)
    return values[0]


def test_an_owner_without_superuser_rights_migrates_an_empty_database(site: Site) -> None:
    """btree_gist, pg_trgm and unaccent are trusted extensions: the owner of the database creates them."""
    done = site.manage("migrate", "--check", "-v0")
    assert done.returncode == 0, done.stderr


def test_http_leads_to_https(site: Site) -> None:
    connection = http.client.HTTPConnection("localhost", site.http_port, timeout=START)
    connection.request("GET", "/aide/?from=card")
    answer = answer_of(connection)
    assert answer.status == 301
    assert answer.headers["Location"] == f"https://localhost:{site.https_port}/aide/?from=card"


def test_security_headers_come_once_each(site: Site) -> None:
    answer = site.ask("/connexion/")
    assert answer.status == 200
    assert once(answer, "Strict-Transport-Security") == "max-age=31536000"
    assert "script-src 'self'" in once(answer, "Content-Security-Policy")
    assert once(answer, "X-Frame-Options") == "DENY"
    assert once(answer, "X-Content-Type-Options") == "nosniff"
    assert once(answer, "Referrer-Policy") == "same-origin"
    assert "camera=(self)" in once(answer, "Permissions-Policy")
    assert "no-store" in once(answer, "Cache-Control")
    cookies = " ".join(answer.headers.get_all("Set-Cookie") or [])
    assert "Secure" in cookies
    assert once(answer, "Server") == "nginx"


def test_what_a_browser_says_of_itself_is_overwritten(site: Site) -> None:
    """A forged X-Forwarded-Proto would make the site believe in plain HTTP: no HSTS, and a refused form."""
    answer = site.ask("/connexion/", X_Forwarded_Proto="http", X_Forwarded_For="203.0.113.9", Forwarded="proto=http")
    assert once(answer, "Strict-Transport-Security")
    text = (DEPLOY / "nginx.conf").read_text()
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert "$proxy_add_x_forwarded_for" not in text


def test_another_host_gets_no_page(site: Site) -> None:
    assert site.ask("/connexion/", Host="autre.exemple.test").status in (400, 404, 421)
    with pytest.raises((ssl.SSLError, OSError)), socket.create_connection(("127.0.0.1", site.https_port)) as plain:
        site.tls.wrap_socket(plain, server_hostname="autre.exemple.test")


def test_there_is_no_demonstration_in_production(site: Site) -> None:
    assert [site.ask(path).status for path in ("/demo/", "/_kit/")] == [404, 404]
    assert site.ask("/").status == 200


def test_health_tells_the_states_to_the_monitoring_alone(site: Site) -> None:
    """No worker runs here: the page says so, with the status that a monitoring understands."""
    answer = site.ask("/health")
    found = json.loads(answer.text)
    assert (answer.status, found["database"], found["worker"]["ok"]) == (503, {"ok": True}, False)
    text = (DEPLOY / "nginx.conf").read_text()
    assert "deny all;" in text[text.index("location = /health") :]


def test_a_static_file_is_served_by_nginx_and_kept_for_a_year(site: Site) -> None:
    page = site.ask("/connexion/").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert addresses
    assert [each for each in addresses if not re.search(r"\.[0-9a-f]{12}\.\w+$", each)] == []
    for address in addresses:
        answer = site.ask(address, Accept_Encoding="gzip")
        assert answer.status == 200, address
        assert once(answer, "Cache-Control") == "public, max-age=31536000, immutable"
        assert once(answer, "X-Content-Type-Options") == "nosniff"
        if address.endswith(".js"):
            assert (once(answer, "Content-Type"), once(answer, "Content-Encoding")) == (
                "application/javascript",
                "gzip",
            )
    # A file that the application has never heard of: nginx reads the folder itself.
    (site.folder / "static" / "later.css").write_text("p { color: red }")
    answer = site.ask("/static/later.css")
    assert (answer.status, once(answer, "Cache-Control")) == (200, "public, max-age=3600")


def test_scripts_import_each_other_by_the_names_that_change(site: Site) -> None:
    """Otherwise a page would mix versions after an upgrade, and load one module twice under two names."""
    static = site.folder / "static"
    names = set(json.loads((static / "staticfiles.json").read_text())["paths"].values())
    scripts = [name for name in names if name.endswith(".js") and not name.startswith("vendor/")]
    assert scripts
    for name in scripts:
        text = (static / name).read_text()
        for target in re.findall(r"""(?:\bfrom|\bimport)\s*\(?["'](\.[^"']+)["']""", text):
            resolved = os.path.normpath(static / Path(name).parent / target)
            assert os.path.relpath(resolved, static) in names, f"{name} imports {target}"


def test_events_arrive_as_they_happen(site: Site) -> None:
    """The stream never ends: an event that arrives was not kept by any buffer."""
    connection = site.connect()
    connection.request(
        "GET", f"/live/stream?t={quote(site.topic)}", headers={"Cookie": f"relais_session={site.session}"}
    )
    stream = connection.getresponse()
    assert (stream.status, once(stream, "Content-Type")) == (200, "text/event-stream")
    assert stream.readline() == b"event: beat\n"
    pinged = site.manage("shell", "-v0", "-c", PING)
    assert pinged.returncode == 0, pinged.stderr
    lines = []
    while b"event: ping\n" not in lines:
        lines.append(stream.readline())
    assert json.loads([stream.readline(), stream.readline()][1].removeprefix(b"data: ")) == {
        "topic": "deploy:1",
        "urgent": True,
    }
    connection.close()


def test_a_file_of_49_mb_reaches_the_application(site: Site) -> None:
    answer = site.ask("/upload/", "POST", bytes(49 * MB), **site.signed_in(X_File_Name="scan.pdf"))
    found = json.loads(answer.text)
    assert (answer.status, found["size"]) == (200, 49 * MB)
    kept = list((site.folder / "home" / "files" / "incoming").glob("*.age"))
    assert len(kept) == 1
    assert [path for path in (site.folder / "client_body").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("path", "size", "said"),
    [
        ("/upload/", 51 * MB, "Ce fichier dépasse 50 Mo"),  # the application's own answer
        ("/upload/", 60 * MB, "Ce fichier dépasse 50 Mo"),  # nginx's
        ("/aide/", int(5.5 * MB), "Ce formulaire est trop volumineux"),
        ("/aide/", 8 * MB, "Ce formulaire est trop volumineux"),
    ],
)
def test_what_is_too_large_gets_a_sentence(site: Site, path: str, size: int, said: str) -> None:
    """Refused by its announced length: nothing needs to be sent."""
    connection = site.connect()
    connection.putrequest("POST", path)
    for name, value in dashed(site.signed_in()).items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    if path == "/aide/" and size < 6 * MB:
        connection.send(bytes(size))
    answer = answer_of(connection)
    assert answer.status == 413
    assert said in (json.loads(answer.text)["error"] if path == "/upload/" else answer.text)


def test_a_site_that_is_away_says_what_to_do() -> None:
    """Wherever a location has error pages of its own: they hide the server's."""
    text = (DEPLOY / "nginx.conf").read_text()
    locations = re.findall(r"location (/\S*|= /\S+) \{(.*?)\n    \}", text, flags=re.S)
    own_errors = [name for name, body in locations if "error_page" in body and "502 503 504 @away" not in body]
    assert own_errors == []
    assert "appelez le 15" in text


# Refusing to start


def test_production_refuses_a_database_with_synthetic_accounts(site: Site) -> None:
    assert site.manage("shell", "-v0", "-c", PERSONA).returncode == 0
    try:
        refused = site.manage("web", PORT=str(free_port()))
        assert refused.returncode != 0
        assert "synthetic accounts" in refused.stderr
    finally:
        site.manage(
            "shell",
            "-v0",
            "-c",
            "from relais.accounts.models import User; User.objects.filter(synthetic=True).delete()",
        )


def test_production_refuses_a_short_secret_key(site: Site) -> None:
    refused = site.manage("web", SECRET_KEY="short", PORT=str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr == "Relais: SECRET_KEY: production needs a key of at least 50 characters.\n"


def test_production_refuses_to_start_without_its_static_files(site: Site, tmp_path: Path) -> None:
    """Without them every page would be an error."""
    refused = site.manage("web", STATIC_DIR=str(tmp_path), PORT=str(free_port()))
    assert refused.returncode == 1
    assert refused.stderr.startswith("Relais: ")
    assert "collectstatic" in refused.stderr


def test_production_refuses_to_start_without_its_keys(site: Site, tmp_path: Path) -> None:
    refused = site.manage("web", RELAIS_HOME=str(tmp_path), PORT=str(free_port()))
    assert refused.returncode == 1
    assert "manage.py files_key" in refused.stderr
    assert "manage.py secrets_key" in refused.stderr
    assert not list(tmp_path.rglob("*.key"))


# What is shipped beside nginx.conf


def environment_file() -> dict[str, str]:
    lines = [line.strip() for line in (DEPLOY / "relais.env").read_text().splitlines()]
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_example_environment_names_settings_that_exist_and_holds_no_secret() -> None:
    found = environment_file()
    assert set(found) <= {setting.name for setting in TABLE}
    assert [name for name in found if re.search(r"SECRET$|SECRET_KEY$|TOKEN$", name) and found[name]] == []
    assert {name for name in found if "REPLACE" in found[name]} == {"DATABASE_URL", "SMTP_URL"}


@pytest.mark.parametrize("unit", ["relais-web.service", "relais-worker.service"])
def test_units_run_unprivileged_and_confined(unit: str) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / unit)
    service = parser["Service"]
    assert service["User"] == "relais"
    assert service["EnvironmentFile"] == "/etc/relais/relais.env"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == (
        "yes",
        "strict",
        "",
    )
    command = service["ExecStart"].split()
    assert (ROOT / "relais/core/management/commands" / f"{command[-1]}.py").exists()
    if analyze := shutil.which("systemd-analyze"):
        said = subprocess.run(
            [analyze, "security", "--offline=true", "--threshold=20", str(DEPLOY / unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout[-200:] + said.stderr


def test_the_operations_pages_name_commands_that_exist_and_each_other() -> None:
    pages = {path.name: path.read_text() for path in (ROOT / "docs" / "operations").glob("*.md")}
    named = {name for text in pages.values() for name in re.findall(r"relais-manage ([a-z_]+)", text)}
    assert {"migrate", "collectstatic", "files_key", "secrets_key", "invite_member"} <= named
    assert sorted(named - set(get_commands())) == []
    assert sorted(set(pages) - {"README.md"} - set(re.findall(r"\]\(([\w-]+\.md)\)", pages["README.md"]))) == []
    for text in pages.values():
        assert [
            name for name in re.findall(r"\]\(([^)#:]+)\)", text) if not (ROOT / "docs/operations" / name).exists()
        ] == []
