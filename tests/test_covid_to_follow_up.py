"""The COVID form of a teleconsultation opens the inclusion of its patient, with what it says already in place (TE-09)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_establishment, make_member, make_practitioner
from relais.teleconsultation.testing import make_tele
from relais.telemonitoring.testing import make_cell

pytestmark = pytest.mark.django_db


def filled(scene, *decided):
    onset = (timezone.localdate() - timedelta(days=4)).isoformat()
    said = {
        "identite": "true", "consent": "oui", "accompagnant": "seul", "contage": "oui", "symptomes": ["toux"], "j0": onset,
        "voix": "true", "visuel": "bon", "gravite": "aucun", "diag": "covid-confirme", "facteurs": ["rf.diabete"],
        "cat": list(decided), "incident": "aucun",
    }  # fmt: skip
    posted = {"request_key": str(uuid4()), **{f"q-tk.{name}": value for name, value in said.items()}}
    page = client_of(scene.practitioner).post(f"/teleconsultation/{scene.tele.pk}/covid/", posted, follow=True)
    assert page.status_code == 200, page.context["fill"].errors
    return page.content.decode(), onset


@pytest.mark.req("TE-09")
def test_followed_at_home_opens_the_inclusion_with_what_is_known():
    scene = make_tele(state="in_call", reason="COVID_19")
    make_cell(scene.practitioner)
    patient = scene.tele.dossier.patient
    address = f"/suivi/inclure/?patient={patient.pk}&depuis={scene.tele.pk}"
    text, onset = filled(scene, "domicile-ecovid")
    assert address.replace("&", "&amp;") in text
    page = client_of(scene.practitioner).get(address)
    answers = page.context["fill"].answers
    assert answers == {
        "inc.statut": ["confirme"], "inc.symptomes": [True], "inc.j0": [onset], "rf.diabete": [True],
        "inc.rythme": ["renforce"],
    }  # fmt: skip
    form = page.context["form"]
    assert (form["email"].value(), form["holder"].value()) == (scene.grant.email, scene.grant.holder)
    assert "Repris du formulaire COVID-19" in page.content.decode()


def test_at_home_without_a_cell_opens_nothing():
    scene = make_tele(state="in_call", reason="COVID_19")
    text, _onset = filled(scene, "domicile-simple")
    assert "/suivi/inclure/" not in text


def test_who_does_not_see_the_teleconsultation_reads_nothing_of_it():
    """The number of a dossier of another establishment, or of another patient, fills in nothing."""
    scene = make_tele(state="in_call", reason="COVID_19")
    filled(scene, "domicile-ecovid")
    patient = scene.tele.dossier.patient
    other = make_practitioner(make_establishment("Ailleurs"))
    make_cell(other)
    patient.care_links.create(establishment_id=other.establishment_id, basis="episode", about=patient.pk)
    page = client_of(other).get(f"/suivi/inclure/?patient={patient.pk}&depuis={scene.tele.pk}")
    assert page.context["fill"].answers == {}
    nurse = make_member(scene.tele.establishment, Role.CAREGIVER)
    make_cell(nurse)
    mine = make_tele(practitioner=make_practitioner(scene.tele.establishment)).tele.dossier.patient
    page = client_of(nurse).get(f"/suivi/inclure/?patient={mine.pk}&depuis={scene.tele.pk}")
    assert page.context["fill"].answers == {}
