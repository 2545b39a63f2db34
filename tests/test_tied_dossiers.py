"""A dossier opened from another keeps where it comes from, and each page shows the other to who may read it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import NotFound
from relais.core.paris import PARIS
from relais.dossiers import actions as dossiers
from relais.dossiers.models import Dossier, Event
from relais.patients.testing import make_patient
from relais.teleconsultation.testing import make_tele
from relais.telemonitoring.testing import join, make_cell, make_follow_up

pytestmark = pytest.mark.django_db


def book_from(browser, scene, member, **changes):
    """Book from the page that the follow-up leads to; the new teleconsultation's dossier."""
    page = browser.get(
        f"/teleconsultation/reserver/?patient={scene.patient.pk}&motif=COVID_19&depuis={scene.follow_up.pk}"
    )
    form = page.context["form"]
    hidden = {name: form[name].value() or "" for name in ("request_key", "origin", "patient", "holder")}
    at = (timezone.now() + timedelta(days=2)).astimezone(PARIS)
    said = {
        **hidden, "practitioner": str(member.user_id), "reason": "COVID_19", "phone": "06 39 98 00 11",
        "date": at.date().isoformat(), "time": "10:00", "minutes": "20", **changes,
    }  # fmt: skip
    answer = browser.post("/teleconsultation/reserver/", said)
    assert answer.status_code == 302, answer.context["form"].errors
    return Dossier.objects.get(kind="teleconsultation", pk=answer["Location"].strip("/").split("/")[-1])


@pytest.mark.req("EC-06")
def test_a_teleconsultation_booked_from_a_follow_up_is_tied_to_it():
    scene = make_follow_up()
    browser = client_of(scene.member)
    dossier = book_from(browser, scene, scene.member)
    assert dossier.origin_id == scene.follow_up.pk
    follow_up = browser.get(f"/suivi/{scene.follow_up.pk}/").content.decode()
    assert dossier.reference in follow_up
    assert "Un autre dossier a été ouvert depuis ce suivi" in follow_up
    tele = browser.get(f"/teleconsultation/{dossier.pk}/").content.decode()
    assert "Ouvert depuis" in tele
    assert f"/suivi/{scene.follow_up.pk}/" in tele
    secretary = client_of(make_member(scene.cell.establishment, Role.SECRETARY))
    seen = secretary.get(f"/teleconsultation/{dossier.pk}/").content.decode()
    assert dossier.reference in seen
    assert "Ouvert depuis" not in seen, "that somebody is followed at home is clinical"


def test_a_member_of_the_cell_who_works_elsewhere_books_from_there_too():
    """The follow-up's dossier is another establishment's: the care link of the cell's member names it."""
    scene = make_follow_up()
    elsewhere = make_practitioner(make_establishment("Partenaire"))
    join(scene.cell, elsewhere)
    scene.patient.care_links.create(user_id=elsewhere.user_id, basis="episode", about=scene.follow_up.pk)
    browser = client_of(elsewhere)
    dossier = book_from(browser, scene, elsewhere)
    assert dossier.origin_id == scene.follow_up.pk
    assert f"/suivi/{scene.follow_up.pk}/" in browser.get(f"/teleconsultation/{dossier.pk}/").content.decode()
    assert dossier.reference in browser.get(f"/suivi/{scene.follow_up.pk}/").content.decode()
    home = client_of(scene.member).get(f"/suivi/{scene.follow_up.pk}/").content.decode()
    assert dossier.reference not in home, "the teleconsultation is of an establishment that they are not of"


def test_a_number_that_one_does_not_know_or_of_another_patient_ties_nothing():
    scene, other = make_follow_up(), make_follow_up()
    stranger = make_practitioner(make_establishment("Ailleurs"))
    scene.patient.care_links.create(establishment_id=stranger.establishment_id, basis="episode", about=uuid4())
    assert book_from(client_of(stranger), scene, stranger, origin=str(scene.follow_up.pk)).origin_id is None
    mine = book_from(client_of(scene.member), scene, scene.member, origin=str(other.follow_up.pk))
    assert mine.origin_id is None
    assert book_from(client_of(scene.member), scene, scene.member, origin="rien", time="11:00").origin_id is None
    assert not Event.objects.filter(verb="sequel_opened").exists()
    create = {"kind": "telemonitoring", "establishment": scene.cell.establishment, "origin_id": scene.follow_up.pk}
    for actor, patient in ((actor_for(stranger), scene.patient), (actor_for(scene.member), make_patient("Autre"))):
        with pytest.raises(NotFound):
            dossiers.create(actor=actor, patient=patient, **create)


@pytest.mark.req("TE-09")
def test_an_inclusion_opened_from_a_covid_form_is_tied_to_its_teleconsultation():
    scene = make_tele(state="in_call", reason="COVID_19")
    cell, _member = make_cell(scene.practitioner)
    patient, browser = scene.tele.dossier.patient, client_of(scene.practitioner)
    page = browser.get(f"/suivi/inclure/?patient={patient.pk}&depuis={scene.tele.pk}&cellule={cell.pk}")
    assert f'name="depuis" value="{scene.tele.pk}"' in page.content.decode()
    today = timezone.localdate().isoformat()
    answers = {
        "inc.statut": "confirme", "inc.test": "aucun", "inc.symptomes": "true", "inc.j0": today, "inc.oxymetre": "false",
        "inc.thermometre": "true", "inc.grossesse": "non", "inc.seul": "false", "inc.isolement": "oui",
        "inc.autonomie": "true", "inc.rythme": "standard", "inc.consigne": "true", "inc.info": "true",
        "inc.info.qui": "patient",
    }  # fmt: skip
    said = {
        "patient": str(patient.pk), "depuis": str(scene.tele.pk), "cellule": str(cell.pk), "phone": "06 39 98 00 12",
        "holder": "self", "request_key": str(uuid4()), **{f"q-{name}": value for name, value in answers.items()},
    }  # fmt: skip
    answer = browser.post("/suivi/inclure/", said)
    assert answer.status_code == 302, (answer.context["fill"].errors, answer.context["form"].errors)
    followed = Dossier.objects.get(kind="telemonitoring")
    assert followed.origin_id == scene.tele.pk
    assert scene.tele.dossier.reference in browser.get(f"/suivi/{followed.pk}/").content.decode()
    tele = browser.get(f"/teleconsultation/{scene.tele.pk}/").content.decode()
    assert "A donné lieu à" in tele
    assert followed.reference in tele
