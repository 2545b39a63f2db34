"""Vital signs taken again: the nursing home's part of a re-evaluation, and of a resident who worsens (domain.md §3.3, step 8)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from relais.accounts.testing import client_of, make_practitioner
from relais.files.tests import make
from relais.liaison import messages
from relais.liaison.actions import deciding, watching
from relais.liaison.actions.deciding import Advice
from relais.liaison.models import Note, Request
from relais.liaison.queries import sbar
from relais.liaison.queries.measures import measures
from relais.liaison.testing import make_home, taken
from relais.liaison.testing import posted as whole
from relais.notifications.models import Message
from relais.patients.models import Patient
from relais.questionnaires.models import Response

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
WELL = {"fr": 18, "spo2": 96, "pas": 128, "pad": 74, "fc": 80, "temp": "37,1", "conscience": "A", "signelutte": "non"}


def posted(**signs):
    return {f"q-fg.{name}": str(value) for name, value in signs.items()} | {"request_key": str(uuid4())}


def to_review(scene, demand, minutes=240):
    at = timezone.now() + minutes * MINUTE
    advice = Advice(
        code="maintien-surveillance", care_level="maximal", justification="Stable.", family="oui", review_at=at
    )
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    return at


@pytest.mark.req("FG-08")
def test_at_the_hour_promised_the_home_rings_and_is_asked_for_the_signs_until_they_are_taken(monkeypatch):
    scene = make_home()
    demand = taken(scene)
    at = to_review(scene, demand)
    url = f"/liaison/{demand.pk}/constantes/"
    assert "Constantes à reprendre" not in client_of(scene.nurse).get("/liaison/residents/").content.decode()
    for _twice in range(2):
        watching.watch(at)
    told = Message.objects.get(type="liaison.signs")
    assert (told.holder_id, messages.TEXTS[told.type].still_wanted(told)) == (scene.nurse.user_id, True)
    monkeypatch.setattr(timezone, "now", lambda: at + MINUTE)
    nurse = client_of(scene.nurse)
    page = nurse.get("/liaison/residents/").content.decode()
    assert "Constantes à reprendre : VASSEUR Odette" in page  # it rings
    assert url in page
    assert nurse.post(url, posted(**WELL)).status_code == 302
    page = nurse.get("/liaison/residents/").content.decode()
    assert ("Constantes à reprendre" in page, "Le médecin d’astreinte réévalue" in page) == (False, True)
    assert not messages.TEXTS[told.type].still_wanted(told)
    assert Request.objects.get().state == "a-reevaluer", "the doctor decides"
    assert "Demande à prendre" in client_of(scene.doctor).get("/liaison/astreinte/").content.decode()


@pytest.mark.req("FG-08")
def test_who_wrote_the_signs_of_another_shift_is_left_in_peace():
    scene = make_home()
    at = to_review(scene, taken(scene), minutes=20 * 60)
    watching.watch(at)
    assert not Message.objects.filter(type="liaison.signs").exists()


@pytest.mark.req("FG-04", "FG-08")
def test_signs_taken_again_are_scored_by_themselves_and_those_of_before_stay_readable():
    """None of the earlier ones is mixed in; a note says them, urgent when they are worse."""
    scene = make_home()
    demand = taken(scene, spo2=91, o2debit=2.0)
    nurse, url = client_of(scene.nurse), f"/liaison/{demand.pk}/constantes/"
    form = nurse.get(url).content.decode()
    assert "SpO2\u00a091\u00a0%" in form
    assert ('name="q-fg.fr"' in form, 'name="q-fg.gir"' in form, 'value="91"' in form) == (True, False, False)
    said = posted(fr=26, spo2=89)
    for _twice in range(2):
        assert nurse.post(url, said).status_code == 302
    found = Request.objects.get()
    answers = found.response.answers
    assert (answers["fg.spo2"], answers["fg.gir"], "fg.o2debit" in answers, "fg.pas" in answers) == (
        [89], ["2"], False, False,
    )  # fmt: skip
    assert (found.news2, found.state, Response.objects.count()) == (6, "prise-en-charge", 2)
    note = Note.objects.get()
    assert (note.urgent, "FR\u00a026/min, SpO2\u00a089\u00a0%. NEWS2 au moins 6 (5 avant)." in note.text) == (
        True,
        True,
    )
    page = client_of(scene.doctor).get(f"/liaison/{demand.pk}/").content.decode()
    for words in (
        "FR\u00a026/min, SpO2\u00a089\u00a0%",
        "Constantes d’avant",
        "SpO2\u00a091\u00a0%, O2\u00a02\u00a0L/min",
        "Il manque : pression systolique",
    ):
        assert words in page, words
    assert "SpO2\u00a089\u00a0%" in sbar.sbar(found, timezone.now())["assessment"]
    nurse.post(url, posted(**WELL))
    assert Note.objects.latest("created_at").urgent is False


@pytest.mark.req("FG-08")
def test_the_rule_that_says_to_call_15_fires_on_signs_taken_again():
    scene = make_home()
    demand = taken(scene)
    nurse, regulator, url = client_of(scene.nurse), client_of(scene.regulator), f"/liaison/{demand.pk}/"
    assert regulator.get(url).status_code == 404
    said = nurse.post(f"{url}constantes/", posted(spo2=82), follow=True).content.decode()
    assert "Appelez le 15 maintenant" in said
    assert regulator.get(url).status_code == 200
    assert Message.objects.filter(type="liaison.asked", holder_id=scene.regulator.user_id).count() == 1


@pytest.mark.req("FG-04", "FG-08")
def test_signs_that_are_not_whole_lift_no_alarm_and_say_what_worsened():
    """A temperature alone does not make a resident well whose SpO2 was 82 %."""
    scene = make_home()
    demand = taken(scene, spo2=82, temp=39.5, fc=120)
    nurse, url = client_of(scene.nurse), f"/liaison/{demand.pk}/"
    said = nurse.post(f"{url}constantes/", posted(temp="37,0"), follow=True).content.decode()
    assert "Appelez le 15" in said
    found = Request.objects.get()
    assert (found.red, found.news2, Note.objects.get().urgent) == (True, 0, False)
    assert "NEWS2 au moins 0 (7 avant)." in Note.objects.get().text
    doctor = client_of(scene.doctor)
    for page in ("astreinte/", f"residents/{scene.resident.pk}/"):
        assert "NEWS2 au moins 0" in doctor.get(f"/liaison/{page}").content.decode()
    assert "constantes d’avant ; les dernières, incomplètes, ne rassurent pas" in doctor.get(url).content.decode()
    nurse.post(f"{url}constantes/", posted(**WELL))
    assert not Request.objects.get().red
    assert "Appelez le 15 maintenant" not in nurse.get(url).content.decode()
    nurse.post(f"{url}constantes/", posted(**{**WELL, "temp": "39,5", "fc": 120}))
    nurse.post(f"{url}constantes/", posted(fc=120, spo2=91))
    assert Note.objects.latest("created_at").urgent, "the SpO2 fell, whatever the sum of what was given"


@pytest.mark.req("FG-08")
def test_a_re_evaluation_promised_for_soon_asks_for_signs_taken_since_it_was_promised(monkeypatch):
    scene = make_home()
    at = to_review(scene, taken(scene), minutes=20)
    watching.watch(at)
    assert Message.objects.filter(type="liaison.signs").count() == 1
    monkeypatch.setattr(timezone, "now", lambda: at + MINUTE)
    nurse = client_of(scene.nurse)
    assert "Constantes à reprendre : VASSEUR Odette" in nurse.get("/liaison/residents/").content.decode()


@pytest.mark.req("FG-08")
def test_consciousness_and_signs_that_did_not_change_are_said_as_the_others_are():
    scene = make_home()
    demand = taken(scene)
    nurse, url = client_of(scene.nurse), f"/liaison/{demand.pk}/constantes/"
    nurse.post(url, posted(conscience="V"))
    assert "Constantes reprises : conscience\u00a0V. NEWS2 au moins 3" in Note.objects.get().text
    for _twice in range(2):
        nurse.post(url, posted(**WELL))
    nurse.post(url, posted(douleur=7))
    assert "Constantes reprises : à lire dans la demande." in Note.objects.latest("created_at").text
    assert [one.news2 for one in measures(Request.objects.get())] == [0, 0, 3, 0]


@pytest.mark.req("FG-05", "FG-08")
def test_a_file_that_was_withdrawn_holds_back_neither_signs_nor_what_is_completed():
    scene = make_home()
    nurse = client_of(scene.nurse)
    fill = nurse.post(f"/liaison/residents/{scene.resident.pk}/demander/").url
    sent = {**whole(urgence="vitale", gir=None), "q-fg.pieces": SimpleUploadedFile("ecg.pdf", make.pdf())}
    assert nurse.post(fill, sent).status_code == 302
    demand = Request.objects.get()
    document = demand.dossier.documents.get()
    client_of(scene.doctor).post(f"/liaison/documents/{document.pk}/retirer/", {"why": "Autre résident"})
    assert nurse.post(f"/liaison/{demand.pk}/constantes/", posted(**WELL)).status_code == 302
    assert nurse.post(f"/liaison/{demand.pk}/completer/", posted(gir=2)).status_code == 302
    answers = Request.objects.get().response.answers
    assert (answers["fg.fr"], answers["fg.gir"], answers.get("fg.pieces")) == ([18], ["2"], None)


def test_impossible_or_missing_signs_get_a_sentence_and_only_the_home_gives_them():
    scene = make_home()
    demand = taken(scene)
    nurse, url = client_of(scene.nurse), f"/liaison/{demand.pk}/constantes/"
    wrong = nurse.post(url, posted(spo2=999, fr=20))
    assert (wrong.status_code, 'value="999"' in wrong.content.decode()) == (422, True)
    assert "Donnez au moins une constante" in nurse.post(url, posted()).content.decode()
    assert Response.objects.count() == 1
    for other in (scene.doctor, make_practitioner()):
        assert client_of(other).get(url).status_code == 404
        assert client_of(other).post(url, posted(**WELL)).status_code == 404
    Patient.objects.filter(pk=scene.resident.pk).update(deceased_on=timezone.localdate())
    dead = nurse.post(url, posted(spo2=82))
    assert (dead.status_code, "Ce résident est décédé" in dead.content.decode()) == (422, True)
    assert url not in nurse.get(f"/liaison/{demand.pk}/").content.decode()
    Patient.objects.filter(pk=scene.resident.pk).update(deceased_on=None)
    once = posted(**WELL)
    assert nurse.post(url, once).status_code == 302
    deciding.close(actor=scene.doctor_actor, demand=demand, why="sans-suite")
    assert nurse.get(url).status_code == 302
    assert nurse.post(url, once).status_code == 302, "they were kept"
    late = nurse.post(url, posted(**WELL))
    assert (late.status_code, "Cette demande n’est plus ouverte" in late.content.decode()) == (422, True)
