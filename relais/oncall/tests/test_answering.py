"""Who answers now is named, or the number to call; a doctor on call twice at once, and a back-up, read so (issue 4 §1)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from relais.accounts.testing import client_of, make_member
from relais.oncall import queries
from relais.oncall.models import OnCallSlot
from relais.oncall.testing import join, make_pool, make_service, make_slot

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 25, 11, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def day():
    return make_service(name="Astreinte de jour", phone="01 99 00 11 11")


def said(service, moment):
    found = queries.answering([service], moment)[service.pk]
    return (found.duty.name if found.duty else "", found.instead, found.phone, found.by_home)


@pytest.mark.req("TE-02")
def test_outside_its_hours_the_night_duty_is_named_then_the_samu_then_its_own_line(day) -> None:
    assert said(day, NIGHT) == ("", None, "01 99 00 11 11", False)
    samu = make_service("samu", name="SAMU 75", phone="01 99 00 15 15")
    assert said(day, NIGHT) == ("SAMU 75", samu, "01 99 00 15 15", False)
    night = make_service("night", name="Garde de nuit")
    (nadeau,) = make_pool(night, "Nadeau")
    make_slot(night, nadeau, NIGHT - HOUR, NIGHT + HOUR, phone="06 39 98 00 77")
    assert said(day, NIGHT) == ("Dr Claire Nadeau", night, "06 39 98 00 77", False)
    assert said(night, NIGHT) == ("Dr Claire Nadeau", None, "06 39 98 00 77", False)
    assert said(day, NOON)[:2] == ("SAMU 75", samu), "a hole by day: not the night duty"
    (albert,) = make_pool(day, "Albert")
    make_slot(day, albert, NOON - HOUR, NOON + HOUR)
    assert said(day, NOON)[:2] == ("Dr Claire Albert", None)
    assert said(night, NOON) == ("", None, night.phone, True)
    far = make_service(name="Astreinte du 92", departments=["92"])
    assert said(far, NIGHT)[0] == "", "neither the night duty nor the SAMU of another department"


def test_the_page_of_the_rotas_never_says_that_nobody_answers(day) -> None:
    referent = client_of(make_member(day.establishment, "manager"))
    page = referent.get("/astreintes/").content.decode()
    assert "01 99 00 11 11" in page
    assert "Appelez la ligne du service" in page
    assert 'label="Répond maintenant"><span class="text-secondary">Personne' not in page
    make_service("samu", name="SAMU 75", phone="01 99 00 15 15")
    assert "SAMU 75" in referent.get("/astreintes/").content.decode()
    assert "Répond maintenant : SAMU 75" in referent.get(f"/astreintes/{day.pk}/").content.decode()


def test_a_doctor_on_call_for_two_services_at_once_is_said_and_not_refused(day) -> None:
    (albert,) = make_pool(day, "Albert")
    other = make_service(name="Garde des soins palliatifs", establishment=day.establishment)
    join(other, albert)
    start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    slot = make_slot(day, albert, start, start + 4 * HOUR)
    make_slot(other, albert, start + 4 * HOUR, start + 6 * HOUR)
    assert queries.twice([slot]) == []
    beside = make_slot(other, albert, start + 2 * HOUR, start + 4 * HOUR)
    (found,) = queries.twice([slot])
    assert (found.other, found.span.starts_at, found.span.ends_at) == (beside, start + 2 * HOUR, start + 4 * HOUR)
    referent, week = client_of(make_member(day.establishment, "manager")), f"{timezone.localtime(start):%Y-%m-%d}"
    page = referent.get(f"/astreintes/{day.pk}/?semaine={week}").content.decode()
    assert "deux services à la fois" in page
    assert "Garde des soins palliatifs" in page
    mine = client_of(albert)
    assert "Deux services à la fois" in mine.get("/astreintes/").content.decode()
    assert "aussi d’astreinte pour" in mine.get(f"/astreintes/creneaux/{slot.pk}/").content.decode()
    local = timezone.localtime(start)
    later = local + timedelta(days=7)
    make_slot(other, albert, start + timedelta(days=7), start + timedelta(days=7, hours=3))
    answer = referent.post(
        f"/astreintes/{day.pk}/ajouter/",
        {"user": str(albert.user_id), "day": f"{later:%Y-%m-%d}", "starts": f"{local:%H:%M}", "ends": f"{local:%H:30}"},
        follow=True,
    )
    assert "aussi d’astreinte pour « Garde des soins palliatifs »" in answer.content.decode()
    OnCallSlot.objects.filter(pk=beside.pk).update(state="absent")
    assert queries.twice([slot]) == []


def test_a_back_up_sees_the_slots_they_stand_behind_and_opens_them(day) -> None:
    """Their own, in the name of any establishment."""
    albert, bernard = make_pool(day, "Albert", "Bernard")
    start = timezone.now() + timedelta(days=1)
    slot = make_slot(day, albert, start, start + 4 * HOUR, bernard)
    make_slot(day, albert, start + 5 * HOUR, start + 6 * HOUR)
    client = client_of(bernard)
    page = client.get("/astreintes/").content.decode()
    assert "Vous êtes en renfort" in page
    assert page.count(f"/astreintes/creneaux/{slot.pk}/") == 1
    assert "Vous répondez" not in page
    OnCallSlot.objects.filter(pk=slot.pk).update(state="absent")
    assert "Vous répondez" in client.get("/astreintes/").content.decode()
    assert "Vous êtes en renfort" not in client_of(albert).get("/astreintes/").content.decode()
    assert client.get(f"/astreintes/creneaux/{slot.pk}/").status_code == 200
