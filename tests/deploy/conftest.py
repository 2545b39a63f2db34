"""An external database and the production site on it, behind nginx: started once for the folder."""

import os
import secrets
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from config.environment import TABLE
from tests.deploy.site import (
    Site,
    free_port,
    nginx_program,
    running,
)

# A member of an establishment with a session, as the site itself would have made them; nobody is synthetic.
PEOPLE = """
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.core.live import sign
member = make_member(make_establishment(synthetic=False), synthetic=False)
print("MADE", client_of(member).session.session_key, sign("deploy:1"))
"""


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
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
