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
from relais.core.testing.database import template
from tests.deploy.site import (
    Site,
    free_port,
    nginx_program,
    running,
)

# What an installation does before its first start, and a member of an establishment with a session, as the site itself
# would have made them; nobody is synthetic. In one process, since each takes seconds to start.
INSTALLED = """
from django.core.management import call_command
for name in ("files_key", "secrets_key"):
    call_command(name)
call_command("migrate", verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.core.live import sign
member = make_member(make_establishment(synthetic=False), synthetic=False)
print("MADE", client_of(member).session.session_key, sign("deploy:1"))
"""


@pytest.fixture(scope="package")
def database(django_db_setup: None) -> Iterator[str]:
    """An external database, as DATABASE_URL names it: its owner is no superuser.

    It has its tables where there is a copy of what this owner migrated before the tests, and which was empty until then.
    """
    server = settings.DATABASES["default"]
    name = f"deploy_{secrets.token_hex(4)}"
    who = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **who) as owner:
        row = owner.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False,)
        known = owner.execute("SELECT FROM pg_database WHERE datname = %s", [template()]).fetchone()
        made = template() if known is not None else "template1"
        owner.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(made)))
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
    made = here.manage("shell", "-v0", "-c", INSTALLED)
    assert made.returncode == 0, made.stderr
    _, here.session, here.topic = made.stdout[made.stdout.index("MADE") :].split()
    with running(here, program, web_port):
        yield here
