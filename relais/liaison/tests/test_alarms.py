"""A request that nobody has reaches a person: referents, nursing home, then everybody who could answer (domain.md §3.4)."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.paris import PARIS
from relais.directory.models import Need
from relais.dossiers.models import Event, Participant
from relais.liaison import delays
from relais.liaison.actions import alarming, owning, watching
from relais.liaison.models import Request
from relais.liaison.testing import make_home, make_request
from relais.notifications.models import Message
from relais.oncall.models import OnCallSlot
from relais.oncall.testing import cover, join, make_service

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def scene():
    """At 3 a.m. or at noon: nobody is on duty anywhere; each place has a manager, the on-call of the day is another one's."""
    made = make_home()
    OnCallSlot.objects.all().delete()
    made.home.cover.delete()
    day = make_service(Need.GERIATRIC, made.service.establishment, name="Astreinte de jour")
    join(day, made.colleague)
    cover(made.home, day)
    return made


@pytest.fixture
def referent(scene):
    return make_member(scene.service.establishment, Role.MANAGER, family_name="Réfèrent")


def told(member):
    return list(Message.objects.filter(holder_id=member.user_id).values_list("type", flat=True))


def lines_of(demand):
    """What one dials of the services that take part; at least one does."""
    found = Participant.objects.filter(dossier=demand.pk).exclude(service=None)
    assert found
    return [one.service.phone.replace(" ", "") for one in found]


@pytest.mark.req("FG-08", "FG-10")
def test_nobody_on_duty_is_told_at_once_to_the_referent_and_the_nurse_then_to_everybody_until_somebody_takes_it(
    scene, referent
):
    director, far = make_member(scene.home, Role.MANAGER), make_member(make_establishment(), Role.MANAGER)
    demand = make_request(scene, urgence="urgente")
    assert (told(referent), told(scene.nurse)) == (["liaison.nobody_here"], ["liaison.nobody"])
    assert (told(director), told(scene.colleague), told(far)) == ([], [], [])
    since = demand.unowned_since
    watching.watch(since + 14 * MINUTE)
    assert told(referent) == ["liaison.nobody_here"]
    watching.watch(since + 15 * MINUTE)
    watching.watch(since + 16 * MINUTE)
    assert (len(told(referent)), told(director), told(scene.colleague)) == (
        2, ["liaison.nobody_here"], ["liaison.nobody"],
    )  # fmt: skip
    watching.watch(since + 30 * MINUTE)
    watching.watch(since + 90 * MINUTE)
    assert (len(told(referent)), len(told(scene.nurse)), told(far)) == (4, 4, [])
    assert Event.objects.filter(verb="nobody_told").count() == 4
    owning.take(actor=actor_for(scene.colleague), demand=Request.objects.get())
    assert alarming.sound(demand_id=demand.pk, now=since + timedelta(hours=9)) == 0


@pytest.mark.parametrize("signs", [{}, {"conscience": "U"}])
def test_the_samu_is_called_in_once_and_nobody_gets_two_messages_of_one_alarm(scene, signs):
    """Sent red or not, with nobody on duty there: its whole pool, then as everybody else."""
    both = make_practitioner(scene.samu.establishment, family_name="Double")
    join(scene.samu, both)
    make_member(scene.service.establishment, Role.MANAGER, user=both.user)
    demand = make_request(scene, urgence="urgente", **signs)
    assert demand.red is bool(signs)
    wanted = ["liaison.asked"]
    for minutes in (0, 15, 30, 90):
        watching.watch(demand.unowned_since + minutes * MINUTE)
        assert sorted(told(scene.regulator)) == sorted(told(both)) == sorted(wanted), minutes
        wanted.append("liaison.nobody")
    assert told(scene.nurse) == ["liaison.nobody"] * 4


def test_a_red_request_that_loses_its_doctor_calls_the_samu_in_again(scene):
    demand = make_request(scene, urgence="urgente", conscience="U")
    owning.take(actor=actor_for(scene.colleague), demand=demand)
    lost = timezone.now() + timedelta(hours=2)
    Request.objects.update(responsible=None, unowned_since=lost)
    alarming.sound(demand_id=demand.pk, now=lost)
    assert told(scene.regulator) == ["liaison.asked"] * 2


@pytest.mark.parametrize(("urgency", "minutes"), [("vitale", 5), ("urgente", 15), ("rapide", 30), ("differee", 120)])
def test_the_steps_follow_the_delay_of_the_urgency_then_come_each_hour_over_a_clock_change(urgency, minutes):
    since = datetime(2026, 10, 25, 2, 55, tzinfo=PARIS)
    first, second, third, fourth, *_rest = delays.alarms(urgency, since, since + timedelta(hours=9))
    assert [first, second, third] == [since, since + minutes * MINUTE, since + 2 * minutes * MINUTE]
    assert fourth - third == timedelta(hours=1)
    assert delays.next_alarm(urgency, since, second) == third
    assert delays.next_alarm(urgency, since, third) == fourth


def test_the_referent_reads_the_list_without_a_resident_and_finds_the_rota(scene, referent):
    demand = make_request(scene, urgence="urgente")
    browser = client_of(referent)
    page = browser.get("/liaison/sans-medecin/").content.decode()
    for words in (demand.dossier.reference, scene.home.name, "Planning", "dans « Équipe »", "data-waiting"):
        assert words in page
    assert all(f'href="tel:{number}"' in page for number in lines_of(demand))
    kept = Participant.objects.filter(dossier=demand.pk, service__establishment=scene.service.establishment).first()
    assert f'href="/astreintes/{kept.service_id}/equipe/"' in page
    assert "VASSEUR" not in page
    assert "Demandes sans médecin" in browser.get("/astreintes/").content.decode(), "in the rail"
    assert browser.get(f"/liaison/{demand.pk}/").status_code in (403, 404)
    other = client_of(make_member(make_establishment(kind="hospital"), Role.MANAGER))
    assert demand.dossier.reference not in other.get("/liaison/sans-medecin/").content.decode()
    assert "Demandes sans médecin" not in other.get("/astreintes/").content.decode()
    Request.objects.update(responsible=scene.doctor.user, unowned_since=None)
    assert "Aucune demande sans médecin" in browser.get("/liaison/sans-medecin/").content.decode()


def test_the_manager_of_the_home_reads_whom_to_call_and_not_to_add_a_slot(scene):
    demand = make_request(scene, urgence="urgente")
    page = client_of(make_member(scene.home, Role.MANAGER)).get("/liaison/sans-medecin/").content.decode()
    assert all(f'href="tel:{number}"' in page for number in lines_of(demand))
    assert "Appelez l’astreinte, ou le 15" in page
    assert "ajoutez un créneau" not in page


def test_the_home_s_page_rings_and_says_when_people_are_told_again(scene, referent):
    demand = make_request(scene, urgence="urgente")
    nurse = client_of(scene.nurse)
    assert "Personne n’a la demande" in nurse.get("/liaison/residents/").content.decode()
    page = nurse.get(f"/liaison/{demand.pk}/").content.decode()
    assert "prochain rappel" in page
    assert "Aucun médecin n’a répondu, ou aucun n’est au planning. Appelez :" in page
    notice = page.split("Appelez :")[1].split("</p>")[0]
    assert all(f'href="tel:{number}"' in notice for number in [*lines_of(demand), "15"])
    assert client_of(scene.regulator).get(f"/liaison/{demand.pk}/").status_code == 200


def test_the_list_costs_the_same_with_one_request_as_with_three(
    scene, referent, django_assert_num_queries, django_assert_max_num_queries
):
    browser = client_of(referent)
    make_request(scene, urgence="urgente")
    browser.get("/liaison/sans-medecin/")
    with django_assert_max_num_queries(30) as before:
        browser.get("/liaison/sans-medecin/")
    spent = len(before)
    Request.objects.update(unowned_since=timezone.now())
    for _one in range(2):
        make_request(scene, urgence="urgente")
    browser.get("/liaison/sans-medecin/")
    with django_assert_num_queries(spent):
        browser.get("/liaison/sans-medecin/")
