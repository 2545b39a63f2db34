"""The care circle of a follow-up is made and ended on screen: by the cell, by who included, by the patient (TS-14)."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from relais.accounts.models import Membership, Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.dossiers.models import Event
from relais.patients.models import CareLink
from relais.patients.testing import let_in, make_patient
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.testing import join, make_cell, make_follow_up

pytestmark = pytest.mark.django_db
MINE = "/p/suivi/acces/"


@pytest.fixture
def scene():
    return make_follow_up()


@pytest.fixture
def doctor():
    """The treating doctor, who works elsewhere."""
    place = make_establishment("Cabinet des Lilas")
    return make_practitioner(place, family_name="Béranger", rpps="89900000077", profession="Médecin")


def url(scene, end="cercle/"):
    return f"/suivi/{scene.follow_up.pk}/{end}"


def add(browser, scene, member):
    return browser.post(url(scene, "cercle/ajouter/"), {"user": str(member.user_id)}, follow=True).content.decode()


def reads(member, scene):
    return client_of(member).get(url(scene, "")).status_code == 200


@pytest.mark.req("TS-14")
def test_the_cell_finds_a_professional_adds_them_and_removes_them(scene, doctor):
    browser = client_of(scene.member)
    for typed in ("beranger", "89900000077"):
        page = browser.get(url(scene), {"q": typed}).content.decode()
        assert "Cabinet des Lilas" in page, typed
    assert not reads(doctor, scene)
    page = add(browser, scene, doctor)
    assert f"{doctor.user.full_name} peut maintenant lire ce suivi." in page
    assert f"ajouté par {scene.member.user.full_name}" in page
    assert reads(doctor, scene)
    assert add(browser, scene, doctor)
    link = CareLink.objects.get(basis="circle")
    assert (link.user_id, link.about) == (doctor.user_id, scene.follow_up.pk)
    assert "Retirer" in browser.get(url(scene)).content.decode()
    browser.post(url(scene, f"cercle/{link.pk}/retirer/"))
    assert not reads(doctor, scene)
    assert browser.post(url(scene, f"cercle/{link.pk}/retirer/")).status_code == 404, "it is over"
    verbs = Event.objects.filter(dossier=scene.follow_up.pk).values_list("verb", flat=True)
    assert sorted(verbs) == ["reader_added", "reader_removed"]
    assert Entry.objects.filter(action="care.end", patient_id=scene.patient.pk).count() == 1
    assert "peut maintenant lire" in add(browser, scene, doctor)
    assert reads(doctor, scene), "who left comes back"


@pytest.mark.req("TS-14")
def test_who_included_the_patient_adds_and_the_circle_does_not(scene, doctor):
    """The cell is another establishment's: who included the patient there still says who reads."""
    cell, _far = make_cell(make_practitioner(make_establishment("Cellule régionale")))
    FollowUp.objects.filter(pk=scene.follow_up.pk).update(cell=cell)
    nurse = make_member(scene.cell.establishment, Role.CAREGIVER)
    assert "peut maintenant lire" in add(client_of(nurse), scene, doctor)
    colleague = make_practitioner(doctor.establishment)
    browser = client_of(doctor)
    assert browser.get(url(scene)).status_code == 404
    assert url(scene) not in browser.get(url(scene, "")).content.decode()
    assert browser.post(url(scene, "cercle/ajouter/"), {"user": str(colleague.user_id)}).status_code == 404
    link = CareLink.objects.get(basis="circle")
    assert browser.post(url(scene, f"cercle/{link.pk}/retirer/")).status_code == 404


def test_oneself_the_cell_who_left_and_nobody_are_refused(scene, doctor):
    browser = client_of(scene.member)
    included = make_practitioner(scene.cell.establishment)
    gone = make_practitioner(make_establishment("Fermé"))
    Membership.objects.filter(pk=gone.pk).update(ended_at=gone.created_at)
    secretary = make_member(make_establishment("Accueil"), Role.SECRETARY)
    colleague = make_practitioner(make_establishment("Partenaire"))
    join(scene.cell, colleague)
    assert "Vous ne pouvez pas vous ajouter vous-même" in add(client_of(included), scene, included)
    assert "comme membre de la cellule" in add(browser, scene, colleague)
    for member in (gone, secretary):
        assert "n’exerce plus dans un établissement" in add(browser, scene, member)
    for wrong in ("", "rien", str(uuid4())):
        page = browser.post(url(scene, "cercle/ajouter/"), {"user": wrong}, follow=True)
        assert "n’exerce plus" in page.content.decode()
    client_of(scene.member).post(url(scene, "close/"), {"why": "guerison"})
    assert "personne de plus ne peut y être ajouté" in add(browser, scene, doctor)
    assert "Nom ou numéro RPPS" not in browser.get(url(scene)).content.decode()
    assert not CareLink.objects.filter(basis="circle").exists()


def test_a_stranger_and_a_link_of_another_patient_get_nothing(scene, doctor):
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert stranger.get(url(scene)).status_code == 404
    assert stranger.post(url(scene, "cercle/ajouter/"), {"user": str(doctor.user_id)}).status_code == 404
    other = make_patient("Autre").care_links.create(user_id=doctor.user_id, basis="circle")
    episode = scene.patient.care_links.get(basis="episode")
    for link in (other, episode):
        assert client_of(scene.member).post(url(scene, f"cercle/{link.pk}/retirer/")).status_code == 404
    assert CareLink.objects.live().count() == 2


def test_too_few_letters_find_nobody_and_ten_are_shown_at_most(scene):
    place = make_establishment()
    for number in range(11):
        make_practitioner(place, family_name="Beranger", given_name=f"P{number:02d}")
    browser = client_of(scene.member)
    assert browser.get(url(scene), {"q": "be"}).context["found"] == []
    assert len(browser.get(url(scene), {"q": "beranger"}).context["found"]) == 10
    assert "Aucun professionnel de ce nom" in browser.get(url(scene), {"q": "introuvable"}).content.decode()


@pytest.mark.req("TS-14", "EC-12")
def test_the_patient_reads_who_may_read_and_adds_and_removes_them(scene, doctor):
    browser = let_in(Client(), scene.grant)
    page = browser.get(MINE, {"q": "beranger"}).content.decode()
    for words in (scene.cell.name, "Équipe qui suit le patient", "Cabinet des Lilas", "Faire lire mon suivi"):
        assert words in page, words
    added = browser.post(f"{MINE}ajouter/", {"user": str(doctor.user_id)}, follow=True).content.decode()
    assert "peut maintenant lire ce suivi" in added
    assert "le patient ou son proche" in added
    assert reads(doctor, scene)
    link = CareLink.objects.get(basis="circle")
    other = make_follow_up(cell=scene.cell, member=scene.member)
    assert let_in(Client(), other.grant).post(f"{MINE}{link.pk}/retirer/").status_code == 404
    assert reads(doctor, scene)
    browser.post(f"{MINE}{link.pk}/retirer/")
    assert not reads(doctor, scene)


def test_the_page_takes_as_many_queries_for_three_readers_as_for_one(scene):
    browser = client_of(scene.member)

    def count():
        with CaptureQueriesContext(connection) as queries:
            browser.get(url(scene))
        return len(queries)

    add(browser, scene, make_practitioner(make_establishment()))
    browser.get(url(scene))
    one = count()
    for _number in range(2):
        add(browser, scene, make_practitioner(make_establishment()))
    browser.get(url(scene))
    assert count() == one
