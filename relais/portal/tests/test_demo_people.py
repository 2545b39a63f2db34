"""The demo region and its people: valid numbers, nobody real, real sessions behind one click."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from stdnum import luhn

from relais.accounts.demo import PERSONAS
from relais.accounts.models import Membership, User
from relais.audit.models import Entry
from relais.directory.models import Department, Establishment, Kind
from relais.dossiers.models import Dossier
from relais.liaison.models import Dlu, HospitalTransfer
from relais.liaison.queries.dlu import left_at, stale
from relais.patients.models import Patient
from relais.portal import checks
from relais.portal.models import Answer, Ticket
from relais.portal.workflow import TicketState
from relais.questionnaires import logic
from relais.teleconsultation.models import Teleconsultation
from relais.teleconsultation.workflow import State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("region"), pytest.mark.xdist_group("demo")]
AWAY = {"REMOTE_ADDR": "192.0.2.44"}


@pytest.fixture
def key(settings: Any) -> str:
    settings.DEMO_KEY = "0123456789"
    return settings.DEMO_KEY


def test_the_small_region_covers_departments_kinds_roles_and_ticket_states() -> None:
    assert Establishment.objects.count() == 60
    assert User.objects.count() == 53
    assert set(Establishment.objects.values_list("department", flat=True)) == set(Department.values)
    assert set(Establishment.objects.values_list("kind", flat=True)) == set(Kind.values)
    assert set(Membership.objects.values_list("role", flat=True)) == {
        "practitioner",
        "caregiver",
        "secretary",
        "manager",
    }
    assert set(Ticket.objects.values_list("state", flat=True)) == set(TicketState.values)
    assert Answer.objects.exists()
    assert Patient.objects.count() == 200
    assert Teleconsultation.objects.count() == 260
    assert set(Teleconsultation.objects.values_list("state", flat=True)) >= set(State.values) - {State.IN_CALL}
    _look_at_residents()


def _look_at_residents() -> None:
    """Some DLU are up to date, one is old, one is older than a stay in hospital; every answer is one that its form takes."""
    now, dlus = timezone.now(), list(Dlu.objects.select_related("response__questionnaire"))
    transfers = list(HospitalTransfer.objects.select_related("front__questionnaire", "back__questionnaire"))
    left = left_at(one.patient_id for one in dlus)
    why = [stale(one, left.get(one.patient_id), now)[:15] for one in dlus]
    assert {"", "Plus de six moi", "Hospitalisation"} <= set(why)
    assert any(one.back for one in transfers)
    kept = [one.response for one in dlus] + [side for one in transfers for side in (one.front, one.back) if side]
    for one in kept:
        assert logic.check(one.questionnaire.form, one.answers, timezone.localdate(one.ended_at)).errors == {}


def test_nothing_is_planned_for_who_died_nor_asked_about_them() -> None:
    dead = dict(Patient.objects.exclude(deceased_on=None).values_list("pk", "deceased_on"))
    assert len(dead) > 1
    for tele in Teleconsultation.objects.filter(dossier__patient__in=dead).select_related("dossier"):
        assert tele.starts_at.date() < dead[tele.dossier.patient_id]
    for dossier in Dossier.objects.filter(patient__in=dead).exclude(kind="teleconsultation"):
        assert (dossier.kind, dossier.phase) == ("liaison", "closed")
        assert dossier.created_at.date() <= dead[dossier.patient_id]


def test_everybody_is_synthetic_and_every_number_is_valid_and_of_the_kept_ranges() -> None:
    assert not Establishment.objects.filter(synthetic=False).exists()
    assert not User.objects.filter(synthetic=False).exists()
    assert not Patient.objects.filter(synthetic=False).exists()
    for finess in Establishment.objects.values_list("finess", flat=True):
        assert finess.startswith("99")
        assert luhn.is_valid(finess)
    for user in User.objects.all():
        assert user.email.endswith("@exemple.test")
        assert user.mobile.startswith("+3363998")
        assert user.rpps is None or (user.rpps.startswith("899") and luhn.is_valid(user.rpps))


def test_only_personas_have_a_password() -> None:
    able = {user.email for user in User.objects.all() if user.has_usable_password()}
    assert able == {persona.email for persona in PERSONAS}


def test_a_second_run_changes_nothing() -> None:
    before = set(User.objects.values_list("pk", flat=True))
    out = StringIO()
    call_command("demo_region", size="small", stdout=out)
    assert "already there" in out.getvalue()
    assert set(User.objects.values_list("pk", flat=True)) == before


def test_the_page_names_every_persona_with_what_they_can_try(client: Client) -> None:
    page = client.get("/demo/").content.decode()
    for persona in PERSONAS:
        assert persona.family_name in page
        assert reverse("portal:demo_open", args=[persona.key]) in page
    assert "Ouvrir comme patient" in page


@pytest.mark.parametrize("persona", PERSONAS, ids=lambda persona: persona.key)
def test_one_click_opens_a_real_session_as_a_persona(client: Client, persona: Any) -> None:
    response = client.post(reverse("portal:demo_open", args=[persona.key]), follow=True)
    user = User.objects.get(email=persona.email)
    assert response.context["user"] == user
    several = len(persona.places) > 1
    assert response.redirect_chain[-1][0] == (reverse("accounts:choose") if several else "/")
    assert Entry.objects.filter(action="session.begin", user_id=user.pk).exists()


def test_opening_another_persona_ends_the_session_before(client: Client) -> None:
    client.post(reverse("portal:demo_open", args=["secretary"]))
    before = client.session.session_key
    client.post(reverse("portal:demo_open", args=["caregiver"]))
    assert client.session.session_key != before
    assert client.get("/").context["user"].email == "infirmiere@exemple.test"


@pytest.mark.parametrize("who", ["inconnue", "medecin", "system"])
def test_no_other_account_can_be_opened(client: Client, who: str) -> None:
    assert client.post(reverse("portal:demo_open", args=[who])).status_code == 404


def test_a_get_opens_nothing(client: Client) -> None:
    assert client.get(reverse("portal:demo_open", args=["doctor"])).status_code == 405
    assert client.get(reverse("portal:demo_patient")).status_code == 405


@pytest.mark.parametrize("name", ["demo", "demo_messages"])
def test_from_another_machine_the_key_is_asked(client: Client, key: str, name: str) -> None:
    response = client.get(reverse(f"portal:{name}"), **AWAY)
    assert response.status_code == 403
    assert "Laurent" not in response.content.decode()


def test_from_another_machine_no_persona_opens_without_the_key(client: Client, key: str) -> None:
    assert client.post(reverse("portal:demo_open", args=["doctor"]), **AWAY).status_code == 403
    assert "_auth_user_id" not in client.session


def test_the_right_key_opens_and_stays_with_the_browser(client: Client, key: str) -> None:
    client.post(reverse("portal:demo_key"), {"key": " 0123456789 "}, **AWAY)
    assert client.get("/demo/", **AWAY).status_code == 200
    client.post(reverse("portal:demo_open", args=["secretary"]), **AWAY)
    assert client.get("/demo/", **AWAY).status_code == 200
    assert Client().get("/demo/", **AWAY).status_code == 403


def test_wrong_keys_are_capped_even_for_the_right_one_after_them(client: Client, key: str) -> None:
    for _try in range(5):
        client.post(reverse("portal:demo_key"), {"key": "faux"}, **AWAY)
    client.post(reverse("portal:demo_key"), {"key": key}, **AWAY)
    assert client.get("/demo/", **AWAY).status_code == 403


def test_production_refuses_synthetic_accounts_that_can_sign_in(settings: Any) -> None:
    assert checks.synthetic_accounts(databases=["default"]) == []
    settings.PRODUCTION = True
    assert [error.id for error in checks.synthetic_accounts(databases=["default"])] == ["portal.E001"]
    with pytest.raises(SystemCheckError, match="synthetic accounts"):
        call_command("web")


def test_one_click_lets_the_browser_into_the_patient_s_space_beside_a_professional_session(client: Client) -> None:
    client.post(reverse("portal:demo_open", args=["doctor"]))
    response = client.post(reverse("portal:demo_patient"), follow=True)
    assert response.redirect_chain == [(reverse("space:home"), 302)]
    assert "Rejoindre" in response.content.decode()
    assert client.get("/").context["user"].email == "medecin@exemple.test"


def test_the_doctor_and_the_patient_are_led_to_the_same_appointment_that_starts_now(client: Client) -> None:
    client.post(reverse("portal:demo_patient"))
    response = client.post(reverse("portal:demo_open", args=["doctor"]), {"appointment": "1"})
    tele = Teleconsultation.objects.awaited().get(dossier__patient__email="jeanne.moreau@exemple.test")
    assert response.url == reverse("teleconsultation:dossier", args=[tele.pk])
    assert abs(tele.starts_at - timezone.now()) < timedelta(minutes=2)
    assert "Rejoindre" in client.get(response.url).content.decode()
