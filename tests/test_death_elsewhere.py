"""A death that a nursing home notes ends what another establishment had planned, without a word to the family; noted by
mistake it is withdrawn, and those who had the patient are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.models import Membership
from relais.accounts.testing import client_of, make_establishment, make_member
from relais.audit.models import Entry
from relais.dossiers.models import Event
from relais.liaison.actions import leaving
from relais.liaison.queries.lists import residents
from relais.liaison.testing import make_home, make_request, taken
from relais.notifications.models import Message
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db


@pytest.mark.req("FG-08")
def test_appointments_to_come_are_cancelled_and_nobody_is_written_to() -> None:
    scene = make_home()
    coming = make_tele(patient=scene.resident, starts_at=timezone.now() + timedelta(days=2)).tele
    other = make_tele(starts_at=timezone.now() + timedelta(days=3)).tele
    said = leaving.Leaving(timezone.now(), "Décès dans son sommeil")
    demand = taken(scene)
    before = set(Message.objects.filter(about=coming.pk).values_list("pk", flat=True))
    leaving.died(actor=scene.nurse_actor, demand=demand, said=said, in_hospital=False)
    coming.refresh_from_db()
    other.refresh_from_db()
    assert (coming.state, coming.cancel_reason, other.state) == ("cancelled", "Décès du patient", "planned")
    assert set(Message.objects.filter(about=coming.pk).values_list("pk", flat=True)) <= before


def _dies(scene):
    said = leaving.Leaving(timezone.now(), "Décès dans son sommeil")
    demand = taken(scene)
    leaving.died(actor=scene.nurse_actor, demand=demand, said=said, in_hospital=False)
    return demand


@pytest.mark.req("FG-08")
def test_a_death_noted_by_mistake_is_withdrawn_and_help_can_be_asked_for_again() -> None:
    scene = make_home()
    _dies(scene)
    nurse, person = client_of(scene.nurse), f"/patients/{scene.resident.pk}/"
    assert residents(scene.nurse_actor) == []
    assert f"{person}deces/retirer/" in nurse.get(f"/liaison/residents/{scene.resident.pk}/").content.decode()
    assert "Rien ne reprend tout seul" in nurse.get(f"{person}deces/retirer/").content.decode()
    said = nurse.post(f"{person}deces/retirer/", {"why": "other_person"}, follow=True).content.decode()
    assert "Le décès est retiré" in said
    scene.resident.refresh_from_db()
    assert scene.resident.deceased_on is None
    assert Entry.objects.get(action="patient.death_withdrawn").why == "other_person"
    assert residents(scene.nurse_actor) == [scene.resident]
    assert make_request(scene).state == "soumise"


@pytest.mark.req("FG-08")
def test_each_dossier_that_ended_says_so_and_those_who_worked_there_are_told_without_a_name() -> None:
    scene = make_home()
    coming = make_tele(patient=scene.resident, starts_at=timezone.now() + timedelta(days=2)).tele
    other = make_tele(patient=scene.resident, starts_at=timezone.now() - timedelta(days=2), state="closed").tele
    gone = make_tele(patient=scene.resident, starts_at=timezone.now() + timedelta(days=4)).tele
    demand = _dies(scene)
    Membership.objects.filter(user=gone.practitioner_id).update(ended_at=timezone.now())
    client_of(scene.nurse).post(f"/patients/{scene.resident.pk}/deces/retirer/", {"why": "slip"})
    said = Event.objects.filter(verb="alive").values_list("dossier", flat=True)
    assert set(said) == {coming.pk, gone.pk, demand.pk}, "and not what had ended before"
    coming.refresh_from_db()
    assert (coming.state, other.state) == ("cancelled", "closed"), "nothing begins again by itself"
    told = Message.objects.filter(type="dossiers.stopped")
    assert {one.holder_id for one in told} == {scene.doctor.user_id, coming.practitioner_id}, "nor who left yesterday"
    assert all(scene.resident.birth_family_name not in str(one.context) for one in told)
    page = client_of(scene.doctor).get(f"/liaison/{demand.pk}/").content.decode()
    assert "Décès retiré : noté par erreur" in page
    again = leaving.Leaving(timezone.now(), "Décès")
    leaving.died(actor=scene.nurse_actor, demand=taken(scene), said=again, in_hospital=False)
    client_of(scene.nurse).post(f"/patients/{scene.resident.pk}/deces/retirer/", {"why": "slip"})
    assert Event.objects.filter(verb="alive", dossier=coming.pk).count() == 1, (
        "a second mistake is not said of the first"
    )


def test_a_death_is_withdrawn_with_a_reason_once_and_by_those_alone_who_may_note_it() -> None:
    scene = make_home()
    _dies(scene)
    address = f"/patients/{scene.resident.pk}/deces/retirer/"
    for other in (make_member(scene.home, role="manager"), make_member(make_establishment("Autre"))):
        assert client_of(other).post(address, {"why": "slip"}).status_code == 404
    nurse = client_of(scene.nurse)
    for why in ("", "rien"):
        assert nurse.post(address, {"why": why}).status_code == 422
    scene.resident.refresh_from_db()
    assert scene.resident.deceased_on is not None
    assert not Event.objects.filter(verb="alive").exists()
    assert nurse.post(address, {"why": "slip"}).status_code == 302
    assert nurse.post(address, {"why": "slip"}).status_code == 302
    assert Entry.objects.filter(action="patient.death_withdrawn").count() == 1
