"""What a nursing home's request says already is asked neither by a tele-expertise nor by an inclusion opened from it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from relais.accounts.testing import client_of, make_establishment, make_practitioner
from relais.expertise.models import Expertise
from relais.liaison.testing import make_home, taken
from relais.telemonitoring.testing import make_cell

pytestmark = pytest.mark.django_db

SAID = {
    "spo2": 91, "o2debit": 2.0, "pas": 118, "fc": 96, "temp": 38.4, "motif": "dyspnee", "signes": ["toux", "frissons"],
    "question": ["hospitaliser", "autre"], "question__txt": "Essoufflée depuis cette nuit.", "gir": "2",
    "comorb": ["bpco", "demence"], "ttt": "Bisoprolol 2,5 mg", "ttt__risque": ["anticoagulant"],
    "allergies": "Pénicilline", "nts": "pas-de-rea", "covid__statut": "suspect", "covid__j": 3,
    "oxygene": "concentrateur-5", "tel": "01 99 00 45 67",
}  # fmt: skip


def start(member, demand, form):
    posted = {"patient": demand.patient_id, "depuis": demand.pk, "form": form, "request_key": uuid4()}
    answer = client_of(member).post(reverse("expertise:start"), posted, follow=True)
    return Expertise.objects.get(dossier__origin=demand.pk), answer


@pytest.mark.req("FG-12")
@pytest.mark.req("TE-06")
def test_a_tele_expertise_begins_with_what_the_request_says_and_says_where_it_comes_from():
    scene = make_home()
    demand = taken(scene, **SAID)
    asked, page = start(scene.doctor, demand, "tle-covid")
    assert "Repris de la demande de l’EHPAD" in page.content.decode()
    said = page.context["fill"].answers
    plain = {
        "tg.spo2": [91], "tg.o2": [2.0], "tg.pa.sys": [118], "tg.fc": [96], "tg.temp": [38.4], "tg.lieu": ["ehpad"],
        "tg.allergies": ["Pénicilline"], "tg.autonomie": ["gir12"], "tg.question": ["Faut-il hospitaliser ?"],
        "tc.statut": ["possible"], "tc.j": [3], "tc.nts": ["limite-pas-rea"], "tc.oxygene": ["concentrateur"],
        "tc.symptomes": ["toux", "dyspnee"], "tc.facteurs": ["rf.respi", "rf.demence"],
    }  # fmt: skip
    assert {link: said.get(link) for link in plain} == plain
    assert "Essoufflée depuis cette nuit." in said["tg.histoire"][0]
    assert "BPCO" in said["tg.antecedents"][0]
    assert said["tg.traitements"] == ["Bisoprolol 2,5 mg\nÀ risque\u00a0: Anticoagulant"]
    for mine in ("tg.consentement", "tg.rappel", "tg.urgence", "tc.spo2aa", "tc.test"):
        assert mine not in said, "what the request does not say, or what is the doctor's own"
    assert asked.draft == said


def test_the_general_form_takes_only_what_it_asks_and_what_is_typed_since_stays():
    scene = make_home()
    demand = taken(scene, **SAID)
    asked, page = start(scene.doctor, demand, "tle-general")
    assert not [link for link in page.context["fill"].answers if link.startswith("tc.")]
    browser = client_of(scene.doctor)
    browser.post(reverse("expertise:save", args=[asked.pk]), {"q-tg.allergies": "Aucune, vérifié"})
    again = browser.get(reverse("expertise:draft", args=[asked.pk]))
    assert again.context["fill"].answers["tg.allergies"] == ["Aucune, vérifié"]


def test_who_does_not_read_the_request_begins_with_nothing_of_it():
    """A doctor who sees the resident, and holds the number of a request of another establishment."""
    scene = make_home()
    demand = taken(scene, **SAID)
    stranger = make_practitioner(make_establishment("Ailleurs"))
    scene.resident.care_links.create(establishment_id=stranger.establishment_id, basis="episode", about=uuid4())
    posted = {"patient": demand.patient_id, "depuis": demand.pk, "form": "tle-general", "request_key": uuid4()}
    client_of(stranger).post(reverse("expertise:start"), posted)
    assert Expertise.objects.get(establishment=stranger.establishment).draft == {}
    make_cell(stranger)
    address = f"{reverse('telemonitoring:enrol')}?patient={demand.patient_id}&depuis={demand.pk}"
    assert client_of(stranger).get(address).context["fill"].answers == {}


@pytest.mark.req("FG-12")
def test_an_inclusion_begins_with_what_the_request_says():
    scene = make_home()
    demand = taken(scene, **SAID)
    make_cell(scene.doctor)
    address = f"{reverse('telemonitoring:enrol')}?patient={demand.patient_id}&depuis={demand.pk}"
    page = client_of(scene.doctor).get(address)
    onset = (timezone.localdate() - timedelta(days=3)).isoformat()
    assert page.context["fill"].answers == {
        "inc.statut": ["possible"], "inc.symptomes": [True], "inc.j0": [onset], "inc.allergies": ["Pénicilline"],
        "inc.traitement": ["Bisoprolol 2,5 mg\nÀ risque\u00a0: Anticoagulant"], "rf.respi": [True], "rf.demence": [True],
        "inc.rythme": ["renforce"],
    }  # fmt: skip
    assert "Repris de la demande de l’EHPAD" in page.content.decode()
