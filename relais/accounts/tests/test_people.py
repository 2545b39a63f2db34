"""Creating professionals, and asking about them."""

import pytest

from relais.accounts.actions import create_professional
from relais.accounts.models import Membership, Role, User
from relais.accounts.queries import members, names, practitioners, workplaces
from relais.accounts.testing import (
    actor_for,
    client_of,
    make_establishment,
    make_member,
    make_practitioner,
    make_user,
)
from relais.audit.models import Entry
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused

pytestmark = pytest.mark.django_db


def new(**fields: str) -> User:
    values = {"email": "N.Petit@Exemple.test", "family_name": "Petit", "given_name": "Nina", **fields}
    return create_professional(actor=SYSTEM_ACTOR, **values)


def test_a_new_professional_has_a_lower_case_address_and_leaves_a_trace() -> None:
    user = new()
    assert (user.email, user.has_usable_password()) == ("n.petit@exemple.test", False)
    assert Entry.objects.filter(action="accounts.create", about=user.pk).count() == 1


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("email", {"email": "n.PETIT@exemple.test"}),
        ("rpps", {"email": "autre@exemple.test", "rpps": "89900000012"}),
        ("email", {"email": "pas une adresse"}),
    ],
)
def test_an_address_or_rpps_that_somebody_has_is_refused_beside_its_field(field: str, fields: dict) -> None:
    new(rpps="89900000012")
    with pytest.raises(Refused) as refused:
        new(**fields)
    assert refused.value.field == field
    assert User.objects.count() == 1


def test_only_a_manager_or_the_system_creates_professionals() -> None:
    caregiver = make_member(role=Role.CAREGIVER)
    with pytest.raises(NotFound):
        create_professional(actor=actor_for(caregiver), email="x@exemple.test", family_name="X", given_name="Y")


def test_members_are_those_present_by_name_and_role() -> None:
    here = make_establishment()
    zoe = make_practitioner(here, family_name="Zola")
    abel = make_member(here, Role.SECRETARY, family_name="Abel")
    gone = make_practitioner(here, family_name="Parti")
    Membership.objects.filter(pk=gone.pk).update(ended_at=gone.created_at)
    make_practitioner()
    assert list(members(here.pk)) == [abel, zoe]
    assert list(members(here.pk, [Role.SECRETARY])) == [abel]
    assert list(practitioners(here.pk)) == [zoe.user]


def test_names_are_read_in_one_query(django_assert_num_queries) -> None:
    users = [make_user(family_name=name, given_name="A") for name in ("Un", "Deux", "Trois")]
    with django_assert_num_queries(1):
        assert names([*(user.pk for user in users), None]) == {user.pk: user.full_name for user in users}
    with django_assert_num_queries(0):
        assert names([None]) == {}


def test_workplaces_are_the_open_establishments_of_a_professional() -> None:
    member = make_member(make_establishment("Beta"))
    other = make_member(make_establishment("Alpha"), user=member.user)
    make_member(make_establishment("Fermé", active=False), user=member.user)
    assert list(workplaces(member.user_id)) == [other, member]


def test_a_signed_in_client_has_a_user_and_an_establishment() -> None:
    member = make_member()
    session = client_of(member).session
    assert (session["_auth_user_id"], session["establishment"]) == (str(member.user_id), str(member.establishment_id))
