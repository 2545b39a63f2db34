"""After the telephone call the doctor on call makes the request of a nursing home: of one that reads only, and of one that may
write and has its hands full (FG-01, FG-02)."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core.errors import NotFound, Refused
from relais.liaison.actions import asking
from relais.liaison.models import Request
from relais.liaison.testing import make_home, make_request, posted, taken
from relais.notifications.models import Message
from relais.patients.models import Patient
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene(settings):
    settings.NURSING_HOMES_WRITE = False
    made = make_home()
    Patient.objects.filter(pk=made.resident.pk).update(birth_date="1934-05-12", birth_family_name="Vasseur-Lemée")
    return made


def typed(scene, **changes):
    said = {"home_name": scene.home.name, "family_name": "vasseur lemee", "given_name": "", "birth_date": "12/05/1934"}
    return {**said, **changes}


@pytest.mark.req("FG-01")
def test_after_the_call_the_doctor_makes_the_request_has_it_and_the_home_reads_it(scene):
    doctor, url = client_of(scene.doctor), "/liaison/astreinte/demander/"
    assert url in doctor.get("/liaison/astreinte/").content.decode()
    fill = doctor.post(url, typed(scene)).url
    assert fill in doctor.get("/liaison/astreinte/").content.decode(), "a draft to finish"
    assert doctor.get(fill).status_code == 200
    assert fill not in client_of(scene.nurse).get("/liaison/residents/").content.decode(), "it is the doctor's"
    sent = doctor.post(fill, posted(urgence="vitale", motif="dyspnee", gir=None))
    demand = Request.objects.get()
    assert (sent.status_code, demand.patient) == (302, scene.resident)
    assert (demand.state, demand.responsible, demand.service) == ("prise-en-charge", scene.doctor.user, scene.service)
    assert demand.dossier.establishment == scene.home
    assert not Message.objects.filter(holder_id=scene.doctor.user_id).exists(), "nobody is told of their own call"
    home = client_of(scene.nurse).get("/liaison/residents/").content.decode()
    assert ("À compléter" in home, f"/liaison/{demand.pk}/completer/" in home) == (True, False)
    doctor.post(f"/liaison/{demand.pk}/completer/", {"q-fg.gir": "2", "request_key": str(uuid4())})
    doctor.post(f"/liaison/{demand.pk}/ask/", {"text": "Diurèse ?"})
    doctor.post(f"/liaison/{demand.pk}/give/", {"text": "Conservée, dit l’infirmière."})
    demand.refresh_from_db()
    assert (demand.state, demand.response.answers["fg.gir"]) == ("prise-en-charge", ["2"])
    nurse = client_of(scene.nurse)
    assert "Conservée, dit l’infirmière." in nurse.get(f"/liaison/{demand.pk}/").content.decode()
    assert nurse.get(f"/liaison/{demand.pk}/completer/").status_code == 404
    assert Entry.objects.filter(action="liaison.sought", user_id=scene.doctor.user_id).count() == 1


def test_the_resident_is_one_of_that_home_by_exact_name_and_birth_date(scene):
    doctor, url = client_of(scene.doctor), "/liaison/astreinte/demander/"
    make_patient("Vasseur-Lemée", "Paul", birth_date=date(1934, 5, 12))  # of another place
    for wrong in ({"birth_date": "13/05/1934"}, {"family_name": "Vasseur"}):
        page = doctor.post(url, typed(scene, **wrong))
        assert (page.status_code, "Aucun résident de cet EHPAD" in page.content.decode()) == (422, True)
    make_patient("Vasseur-Lemée", "Jeanne", birth_date=date(1934, 5, 12), seen_by=scene.home)
    assert "précisez le prénom" in doctor.post(url, typed(scene)).content.decode()
    assert doctor.post(url, typed(scene, given_name="Odette")).status_code == 302
    make_establishment(f"{scene.home.name} du Lac", kind="ehpad")
    which = doctor.post(url, typed(scene))
    assert "choisissez" in which.content.decode()
    assert which.content.decode().count('name="home"') == 2
    assert doctor.post(url, typed(scene, given_name="Odette", home=str(scene.home.pk))).status_code == 302
    assert "Aucun EHPAD de ce nom" in doctor.post(url, typed(scene, home_name="Introuvable")).content.decode()


def test_a_name_that_many_homes_of_the_region_bear_finds_the_one_of_the_doctor_s_department(scene):
    doctor, url = client_of(scene.doctor), "/liaison/astreinte/demander/"
    for number in range(12):
        make_establishment(f"EHPAD Bel Air {number:02d}", kind="ehpad", department="95", city="Bel Air")
    scene.home.name, scene.home.city = "Résidence Bel Air", "Lutèce"
    scene.home.save()
    assert doctor.post(url, typed(scene)).status_code == 302
    for number in range(12):
        make_establishment(f"EHPAD Lutèce {number:02d}", kind="ehpad", city="Lutèce")
    many = doctor.post(url, typed(scene, home_name="Lutèce")).content.decode()
    assert ("Plus de 10 EHPAD" in many, many.count('name="home"')) == (True, 10)
    assert doctor.post(url, typed(scene, home_name="bel air lutece")).status_code == 302


@pytest.mark.parametrize("write", [True, False])
def test_only_a_doctor_who_answers_there(scene, settings, write):
    settings.NURSING_HOMES_WRITE = write
    url, elsewhere = "/liaison/astreinte/demander/", make_establishment(kind="ehpad")
    strangers = (
        scene.nurse, make_member(elsewhere, Role.CAREGIVER, profession="Infirmière"), make_practitioner(elsewhere),
        make_practitioner(), make_practitioner(scene.service.establishment),
    )  # fmt: skip
    for member in strangers:
        for answer in (client_of(member).get(url), client_of(member).post(url, typed(scene))):
            assert answer.status_code in (403, 404)
    asked = {"home": scene.home, "family_name": "Vasseur-Lemée", "given_name": "", "birth_date": date(1934, 5, 12)}
    with pytest.raises(NotFound):
        asking.start_for(actor=scene.nurse_actor, **asked)
    scene.service.departments = ["92"]
    scene.service.save()
    with pytest.raises(NotFound):
        asking.start_for(actor=scene.doctor_actor, **asked)
    assert not Request.objects.exists()


@pytest.mark.req("FG-02", "VR-02")
@pytest.mark.parametrize("who", ["doctor", "regulator"])
def test_where_homes_may_write_too_the_doctor_or_the_samu_makes_the_request_and_opens_its_room(scene, settings, who):
    """The nurse has both hands full: what is said on the telephone leaves a dossier, with its owner and its trace."""
    settings.NURSING_HOMES_WRITE = True
    member, url = getattr(scene, who), "/liaison/astreinte/demander/"
    caller = client_of(member)
    assert url in caller.get("/liaison/astreinte/").content.decode()
    assert "Dans cette région" not in caller.get(url).content.decode()
    fill = caller.post(url, typed(scene)).url
    assert fill in caller.get("/liaison/astreinte/").content.decode(), "a draft to finish"
    nurse = client_of(scene.nurse)
    assert f"Commencé par {member.user.full_name}" in nurse.get("/liaison/residents/").content.decode()
    sent = caller.post(fill, posted(urgence="vitale", motif="dyspnee", gir=None))
    demand = Request.objects.get()
    assert (sent.status_code, demand.patient, demand.dossier.establishment) == (302, scene.resident, scene.home)
    assert (demand.state, demand.responsible) == ("prise-en-charge", member.user)
    assert demand.service == {"doctor": scene.service, "regulator": scene.samu}[who]
    assert not Message.objects.filter(holder_id=member.user_id).exists(), "nobody is told of their own call"
    assert Entry.objects.filter(action="liaison.sought", user_id=member.user_id, why="1").count() == 1
    events = demand.dossier.events.filter(user_id=member.user_id).values_list("verb", flat=True)
    assert {"submit", "take"} <= set(events)
    page = f"/liaison/{demand.pk}/"
    assert "Ouvrir la visio" in caller.get(page).content.decode()
    assert caller.post(f"{page}room/").url == f"{page}visio/"
    assert caller.post(f"{page}completer/", {"q-fg.gir": "2", "request_key": str(uuid4())}).status_code == 302
    assert demand.dossier.reference in nurse.get(page).content.decode()
    assert nurse.post(f"{page}notes/", {"text": "Famille prévenue."}).status_code == 302
    other = make_member(make_establishment(kind="ehpad"), Role.CAREGIVER, profession="Infirmière")
    assert client_of(other).get(page).status_code == 404


def test_what_a_nurse_began_and_cannot_finish_the_doctor_goes_on_with_and_she_may_still_write(scene, settings):
    settings.NURSING_HOMES_WRITE = True
    nurse = client_of(scene.nurse)
    fill = nurse.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    keep = fill.replace("saisie", "brouillon")
    assert nurse.post(keep, {"q-fg.fr": "28"}).status_code == 200
    doctor = client_of(scene.doctor)
    assert doctor.get(fill).status_code == 404
    assert doctor.post("/liaison/astreinte/demander/", typed(scene)).url == fill
    assert 'value="28"' in doctor.get(fill).content.decode()
    assert nurse.post(keep, {"q-fg.fr": "30"}).status_code == 200
    assert Request.objects.get().draft["fg.fr"] == ["30"]


def test_where_homes_may_write_what_they_asked_is_theirs_to_complete(scene, settings):
    settings.NURSING_HOMES_WRITE = True
    demand = taken(scene)
    assert make_request(scene, make_patient(seen_by=scene.home)).responsible == scene.doctor.user
    assert client_of(scene.doctor).get(f"/liaison/{demand.pk}/constantes/").status_code == 404
    assert client_of(scene.nurse).get(f"/liaison/{demand.pk}/constantes/").status_code == 200


@pytest.mark.req("FG-01")
def test_each_search_for_a_resident_is_traced_those_that_find_nobody_or_several_too(scene):
    make_patient("Vasseur-Lemée", "Paul", seen_by=scene.home, birth_date=date(1934, 5, 12))
    doctor, url = client_of(scene.doctor), "/liaison/astreinte/demander/"
    for names in ({"family_name": "Inconnu"}, {}, {"given_name": "Odette"}):
        doctor.post(url, typed(scene, **names))
    sought = Entry.objects.filter(action="liaison.sought", about=scene.home.pk, user_id=scene.doctor.user_id)
    assert list(sought.order_by("id").values_list("why", flat=True)) == ["0", "2", "1"]
    assert Request.objects.count() == 1


def test_the_colleague_does_not_write_in_the_doctor_s_draft(scene):
    asked = {"home": scene.home, "family_name": "Vasseur-Lemée", "given_name": "", "birth_date": date(1934, 5, 12)}
    draft = asking.start_for(actor=scene.doctor_actor, **asked)
    assert client_of(scene.colleague).get(f"/liaison/{draft.pk}/saisie/").status_code == 404
    with pytest.raises(Refused, match="sans y écrire"):
        asking.start(actor=scene.nurse_actor, patient=scene.resident)


def test_a_draft_that_a_colleague_is_typing_is_not_taken_from_them(scene):
    """Their saving would be lost without a word; one that nobody touched for a quarter of an hour is taken over."""
    first, second, url = client_of(scene.doctor), client_of(scene.colleague), "/liaison/astreinte/demander/"
    fill = first.post(url, typed(scene)).url
    refused = second.post(url, typed(scene))
    assert refused.status_code == 422
    assert f"{scene.doctor.user.full_name} écrit déjà une demande pour ce résident" in refused.content.decode()
    assert first.post(f"{fill.replace('saisie', 'brouillon')}", {"q-fg.fr": "16"}).status_code == 200
    late = timezone.now() - asking.TYPING - timedelta(minutes=1)
    Request.objects.update(drafted_at=late)
    assert second.post(url, typed(scene)).url == fill
    assert second.get(fill).status_code == 200
