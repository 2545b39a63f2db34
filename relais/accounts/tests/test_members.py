"""The manager's page: who works here is added, invited, given another role, removed."""

import threading

import pytest
from django.db import connection, transaction
from django.test import Client

from relais.accounts.actions import add_member, change_role, remove_member
from relais.accounts.models import Membership, Role, User
from relais.accounts.testing import (
    PASSWORD,
    actor_for,
    client_of,
    last_secret,
    make_establishment,
    make_member,
    make_practitioner,
    make_user,
)
from relais.audit.models import Entry
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.core.testing.races import at_once
from relais.notifications.models import Message

pytestmark = pytest.mark.django_db
PAGE, ADD = "/connexion/membres/", "/connexion/membres/ajouter/"


@pytest.fixture
def here():
    return make_establishment("Centre des Tilleuls")


@pytest.fixture
def manager(here):
    return make_member(here, Role.MANAGER, family_name="Chef", given_name="Paul")


def new(**fields: str) -> dict[str, str]:
    return {
        "email": "nina.petit@exemple.test", "rpps": "", "given_name": "Nina", "family_name": "Petit",
        "role": Role.CAREGIVER, **fields,
    }  # fmt: skip


@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.CAREGIVER, Role.SECRETARY])
def test_the_page_is_for_managers(here, manager, role) -> None:
    other = client_of(make_member(here, role))
    assert (client_of(manager).get(PAGE).status_code, other.get(PAGE).status_code) == (200, 404)
    assert [other.post(f"{PAGE}{manager.pk}/{verb}/").status_code for verb in ("role", "retirer", "inviter")] == [
        404
    ] * 3
    assert other.post(ADD, new()).status_code == 404


def test_only_the_members_of_the_chosen_establishment_are_listed(here, manager, django_assert_num_queries) -> None:
    make_practitioner(here, family_name="Émile", given_name="Zoé")
    make_member(family_name="Ailleurs")
    client = client_of(manager)
    assert [one.user.family_name for one in client.get(PAGE).context["page_of_members"].members] == ["Chef", "Émile"]
    found = client.get(f"{PAGE}?q=emi zo").context["page_of_members"].members
    assert [one.user.family_name for one in found] == ["Émile"]
    assert "Personne ne porte ce nom ici" in client.get(f"{PAGE}?q=xyz").text


def test_the_list_takes_as_many_queries_with_one_member_as_with_four(
    here, manager, django_assert_max_num_queries
) -> None:
    client = client_of(manager)
    client.get(PAGE)
    with django_assert_max_num_queries(20) as one:
        client.get(PAGE)
    for _ in range(3):
        make_practitioner(here)
    with django_assert_max_num_queries(len(one)):
        client.get(PAGE)


def test_a_long_list_goes_on_by_key(here, manager) -> None:
    for number in range(60):
        make_member(here, family_name=f"Nom{number:02d}", given_name="A")
    client = client_of(manager)
    first = client.get(PAGE).context["page_of_members"]
    second = client.get(f"{PAGE}{first.next_url}").context["page_of_members"]
    names = [one.user.family_name for one in [*first.members, *second.members]]
    assert (len(first.members), len(names), names == sorted(names), second.next_url) == (50, 61, True, None)
    assert client.get(f"{PAGE}?apres=nimporte").status_code == 200


def test_someone_new_is_invited_and_gets_in_with_a_code(here, manager) -> None:
    answer = client_of(manager).post(ADD, new(), follow=True)
    assert "Une invitation part à nina.petit@exemple.test" in answer.text
    user = User.objects.get(email="nina.petit@exemple.test")
    assert Membership.objects.get(user=user).role == Role.CAREGIVER
    token = last_secret(user)["link"].partition("#")[2]
    client = Client()
    chosen = {"token": token, "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/connexion/mot-de-passe/choisir/", chosen).url == "/connexion/"
    client.post("/connexion/", {"login": user.email, "password": PASSWORD})
    client.post("/connexion/code/", {"channel": "email"})
    client.post("/connexion/code/", {"code": last_secret(user)["code"]})
    assert client.session["establishment"] == str(here.pk)


def test_an_address_longer_than_the_database_keeps_is_refused_beside_its_field(manager) -> None:
    answer = client_of(manager).post(ADD, new(email=f"a@{'exemple.' * 32}test"))
    assert set(answer.context["form"].errors) == {"email"}


@pytest.mark.parametrize("by", ["email", "rpps"])
def test_who_has_an_account_is_added_and_told(here, manager, by) -> None:
    known = make_practitioner(email="nina.petit@exemple.test").user
    data = new(
        email=known.email if by == "email" else "",
        rpps=known.rpps if by == "rpps" else "",
        family_name="",
        given_name="",
    )
    answer = client_of(manager).post(ADD, data, follow=True)
    assert "avait déjà un compte" in answer.text
    assert Membership.objects.filter(user=known, establishment=here, ended_at=None).count() == 1
    assert list(Message.objects.values_list("type", flat=True)) == ["accounts.added"]
    assert User.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"family_name": ""}, "Complétez le nom et le prénom"),
        ({"email": "", "rpps": ""}, "Indiquez une adresse e-mail ou un numéro RPPS"),
        ({"email": "", "rpps": "89900000012"}, "Indiquez l’adresse e-mail où envoyer l’invitation"),
        ({"rpps": "8990000001"}, "Un numéro RPPS a onze chiffres"),
        ({"email": "pas une adresse"}, "adresse"),
        ({"role": "directeur"}, "directeur"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written_or_lost(here, manager, fields, sentence) -> None:
    answer = client_of(manager).post(ADD, new(**fields))
    assert (answer.status_code, sentence in answer.text, User.objects.count()) == (200, True, 1)
    assert "Nina" in answer.text
    assert not Message.objects.exists()


def test_the_same_form_sent_twice_adds_once(here, manager) -> None:
    client = client_of(manager)
    client.post(ADD, new())
    assert "est déjà membre" in client.post(ADD, new()).text
    assert (Membership.objects.count(), Message.objects.count()) == (2, 1)


def test_an_invitation_sent_again_makes_the_first_link_useless(here, manager) -> None:
    client = client_of(manager)
    client.post(ADD, new())
    user = User.objects.get(email="nina.petit@exemple.test")
    first = last_secret(user)["link"].partition("#")[2]
    member = Membership.objects.get(user=user)
    assert "nouvelle invitation" in client.post(f"{PAGE}{member.pk}/inviter/", follow=True).text
    chosen = {"token": first, "password1": PASSWORD, "password2": PASSWORD}
    assert "n’est plus valable" in Client().post("/connexion/mot-de-passe/choisir/", chosen).text


def test_who_chose_a_password_is_not_invited_again(here, manager) -> None:
    member = make_member(here, password=PASSWORD)
    answer = client_of(manager).post(
        f"{PAGE}{member.pk}/inviter/", headers={"referer": f"http://testserver{PAGE}"}, follow=True
    )
    assert "a déjà choisi un mot de passe" in answer.text


@pytest.mark.req("TC-26")
def test_a_role_changes_on_the_next_page(here, manager) -> None:
    member = make_member(here, Role.CAREGIVER)
    theirs = client_of(member)
    assert theirs.get(PAGE).status_code == 404
    client_of(manager).post(f"{PAGE}{member.pk}/role/", {"role": Role.MANAGER})
    assert theirs.get(PAGE).status_code == 200
    assert Entry.objects.get(action="members.role").why == "caregiver > manager"


def test_removing_a_member_ends_their_sessions_there_at_once_and_no_other(here, manager) -> None:
    """expectations C33: who leaves has access to nothing on the very next request."""
    elsewhere = make_member()
    member = make_member(here, Role.MANAGER, user=elsewhere.user)
    here_too, other_place, colleague = client_of(member), client_of(elsewhere), client_of(make_practitioner(here))
    assert (here_too.get(PAGE).status_code, here_too.get("/live/check").status_code) == (200, 204)
    answer = client_of(manager).post(f"{PAGE}{member.pk}/retirer/", follow=True)
    assert "n’a plus accès" in answer.text
    assert here_too.get("/live/check").status_code == 302  # what a stream asks each minute, and ends
    assert here_too.get(PAGE).url.startswith("/connexion/?next=")
    assert other_place.get("/connexion/profil/").status_code == 200
    assert colleague.get("/connexion/profil/").status_code == 200
    ended = Membership.objects.get(pk=member.pk)
    assert (ended.ended_by, ended.ended_at is not None) == (manager.user_id, True)


def test_a_session_that_no_row_knows_is_refused_on_the_next_request_as_well(here, manager) -> None:
    member = make_member(here, Role.MANAGER)
    theirs = Client()
    theirs.force_login(member.user)
    session = theirs.session
    session["establishment"] = str(here.pk)
    session.save()
    remove_member(actor=actor_for(manager), membership_id=member.pk)
    assert theirs.get(PAGE).url in ("/connexion/etablissement/", "/connexion/?next=%2Fconnexion%2Fmembres%2F")


def test_who_was_removed_can_be_added_again(here, manager) -> None:
    member = make_practitioner(here)
    client_of(manager).post(f"{PAGE}{member.pk}/retirer/")
    add_member(actor=actor_for(manager), establishment_id=here.pk, user=member.user, role=Role.PRACTITIONER)
    assert Membership.objects.filter(user=member.user).count() == 2


@pytest.mark.parametrize("verb", ["retirer", "role"])
def test_the_last_manager_cannot_leave_alone(here, manager, verb) -> None:
    """expectations C32: nobody would be left to let others in or out."""
    client = client_of(manager)
    data, back = {"role": Role.CAREGIVER}, {"referer": f"http://testserver{PAGE}"}
    assert "seul responsable" in client.post(f"{PAGE}{manager.pk}/{verb}/", data, headers=back, follow=True).text
    manager.refresh_from_db()
    assert (manager.role, manager.ended_at) == (Role.MANAGER, None)
    make_member(here, Role.MANAGER)
    client.post(f"{PAGE}{manager.pk}/{verb}/", data)
    manager.refresh_from_db()
    assert (manager.role == Role.CAREGIVER) != (manager.ended_at is not None)


def test_the_system_may_end_the_last_manager(manager) -> None:
    assert remove_member(actor=SYSTEM_ACTOR, membership_id=manager.pk).ended_at


def test_a_manager_manages_the_chosen_establishment_alone(manager) -> None:
    stranger = make_practitioner()
    actor = actor_for(manager)
    for refused in (
        lambda: remove_member(actor=actor, membership_id=stranger.pk),
        lambda: change_role(actor=actor, membership_id=stranger.pk, role=Role.MANAGER),
        lambda: add_member(
            actor=actor, establishment_id=stranger.establishment_id, user=make_user(), role=Role.MANAGER
        ),
    ):
        with pytest.raises(NotFound):
            refused()
    stranger.refresh_from_db()
    assert (stranger.role, stranger.ended_at) == (Role.PRACTITIONER, None)


@pytest.mark.django_db(transaction=True)
def test_who_writes_what_points_to_the_establishment_does_not_wait_for_a_member_who_is_removed(here, manager) -> None:
    """Their own rows may be what the removal waits for: the requests that it gives to somebody else."""
    gone = make_practitioner(here)
    with transaction.atomic():
        remove_member(actor=actor_for(manager), membership_id=gone.pk)
        assert at_once(lambda: make_member(here, Role.CAREGIVER).establishment) == [here]


@pytest.mark.django_db(transaction=True)
def test_of_two_managers_who_remove_each_other_at_once_one_stays() -> None:
    here = make_establishment()
    both = [make_member(here, Role.MANAGER), make_member(here, Role.MANAGER)]
    start, outcomes = threading.Barrier(2), []

    def remove(mine: Membership, other: Membership) -> None:
        start.wait()
        try:
            remove_member(actor=actor_for(mine), membership_id=other.pk)
            outcomes.append("removed")
        except (Refused, NotFound):
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=pair) for pair in (both, both[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "removed"]
    assert Membership.objects.filter(establishment=here, ended_at=None).count() == 1
