"""The first people of an installation come by a command, since nobody can sign in to invite them."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from relais.accounts.actions import serve_help_desk
from relais.accounts.models import Membership, Role, User
from relais.accounts.testing import actor_for, last_secret, make_establishment, make_member, make_user
from relais.audit.models import Entry
from relais.core.errors import NotFound

pytestmark = pytest.mark.django_db
NAMES = {"family_name": "Petit", "given_name": "Anne"}


def invite(finess: str, email: str, **options: Any) -> str:
    said = StringIO()
    call_command("invite_member", finess, email, stdout=said, **options)
    return said.getvalue()


def test_a_manager_is_made_and_invited_to_choose_a_password() -> None:
    place = make_establishment()
    assert "Anne Petit: Responsable" in invite(place.finess, "anne@exemple.test", **NAMES)
    member = Membership.objects.get(establishment=place)
    assert (member.role, member.user.help_desk, member.user.synthetic) == (Role.MANAGER, False, False)
    assert "link" in last_secret(member.user)


def test_somebody_known_is_added_and_may_serve_at_the_help_desk() -> None:
    place, user = make_establishment(), make_user(email="connu@exemple.test")
    invite(place.finess, "Connu@exemple.test", role=Role.SECRETARY, help_desk=True)
    assert Membership.objects.get(establishment=place, user=user).role == Role.SECRETARY
    assert User.objects.get(pk=user.pk).help_desk
    assert Entry.objects.filter(action="accounts.help_desk", about=user.pk).exists()


def test_what_is_missing_is_said_and_nothing_is_written() -> None:
    place = make_establishment()
    with pytest.raises(CommandError, match="import_finess"):
        invite("999999999", "anne@exemple.test", **NAMES)
    with pytest.raises(CommandError, match="--family-name"):
        invite(place.finess, "anne@exemple.test")
    invite(place.finess, "anne@exemple.test", **NAMES)
    with pytest.raises(CommandError, match="déjà membre"):
        invite(place.finess, "anne@exemple.test", help_desk=True)
    assert not User.objects.filter(help_desk=True).exists()


def test_no_member_names_agents() -> None:
    manager = make_member(role=Role.MANAGER)
    with pytest.raises(NotFound):
        serve_help_desk(actor=actor_for(manager), user_id=manager.user_id)
