"""deploy/nginx.conf as it is shipped, before a production site."""

import http.client
import json
import os
import re
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from relais.core.live import CHANNEL
from tests.deploy.site import (
    DEPLOY,
    MB,
    START,
    Site,
    answer_of,
    dashed,
)

pytestmark = pytest.mark.xdist_group("deploy")  # one site behind nginx, made once


def once(answer: Any, name: str) -> str:
    """The one value of a header."""
    values = answer.headers.get_all(name) or []
    assert len(values) == 1, (name, values)
    return values[0]


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
    lines = [stream.readline()]
    assert lines == [b"event: beat\n"]
    while lines[-1] != b"event: ping\n":
        if lines[-1] == b"event: beat\n":  # at each: the process begins to listen with its first stream, a moment later
            site.tell_database("SELECT pg_notify(%s, %s)", CHANNEL, json.dumps({"topic": "deploy:1", "urgent": True}))
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
