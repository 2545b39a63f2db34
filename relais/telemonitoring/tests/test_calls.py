"""A call noted decides: level retained and orientations end, lower, raise, hand over or plan again (domain.md §1.8)."""

from datetime import datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import NotFound
from relais.core.paris import PARIS
from relais.dossiers.models import Event
from relais.patients.testing import make_grant
from relais.questionnaires.actions import Times
from relais.questionnaires.queries import current
from relais.telemonitoring.actions import alerts, calls
from relais.telemonitoring.actions.calls import Decision, decide
from relais.telemonitoring.delays import spaced
from relais.telemonitoring.models import Alert, Call, FollowUp
from relais.telemonitoring.queries.cells import promise
from relais.telemonitoring.testing import join, make_follow_up, reply

pytestmark = pytest.mark.django_db
ADVICE, RECALL, HOSPITAL = {"conseils"}, {"conseils", "rappel-programme"}, {"hospitalisation-directe"}


@pytest.mark.parametrize(
    ("level", "retained", "orientations", "doctor", "nurse"),
    [
        ("rouge", "requalifie-vert", ADVICE, Decision("rouge", ends=True), Decision("rouge", escalates=True)),
        ("rouge", "requalifie-orange", ADVICE, Decision("orange"), Decision("rouge", escalates=True)),
        ("rouge", "confirme-rouge", ADVICE, Decision("rouge"), Decision("rouge", escalates=True)),
        ("rouge", "confirme-rouge", {"samu15"}, Decision("rouge", ends=True), Decision("rouge", escalates=True)),
        (
            "rouge", "confirme-rouge", HOSPITAL,
            Decision("rouge", ends=True, pauses=True), Decision("rouge", escalates=True, pauses=True),
        ),
        ("rouge", "requalifie-vert", RECALL, Decision("orange", recall=True), Decision("rouge", escalates=True)),
        ("rouge-psy", "confirme-rouge", RECALL, Decision("rouge-psy", recall=True), Decision("rouge-psy", escalates=True)),
        ("orange", "requalifie-vert", ADVICE, Decision("orange", ends=True), Decision("orange", ends=True)),
        ("orange", "requalifie-vert", RECALL, Decision("orange", recall=True), Decision("orange", recall=True)),
        ("orange", "requalifie-orange", ADVICE, Decision("orange"), Decision("orange")),
        ("orange", "confirme-rouge", ADVICE, Decision("rouge"), Decision("rouge", escalates=True)),
        ("gris", "requalifie-vert", ADVICE, Decision("gris", ends=True), Decision("gris", ends=True)),
        ("gris", "requalifie-orange", ADVICE, Decision("orange"), Decision("orange")),
        ("orange-psy", "requalifie-orange", ADVICE, Decision("orange-psy"), Decision("orange-psy")),
    ],
)  # fmt: skip
def test_what_becomes_of_an_alert(level, retained, orientations, doctor, nurse):
    """A practitioner decides; anybody else may raise, and hands a red one over."""
    assert decide(level, retained=retained, orientations=orientations, doctor=True) == doctor
    assert decide(level, retained=retained, orientations=orientations, doctor=False) == nurse


@pytest.fixture
def scene():
    return make_follow_up()


@pytest.fixture
def nurse(scene):
    member = make_member(scene.cell.establishment, Role.CAREGIVER)
    join(scene.cell, member)
    return actor_for(member)


def raised(scene, level="rouge"):
    now = timezone.now()
    return Alert.objects.create(follow_up=scene.follow_up, level=level, fired=["AR01"], since=now, opened_at=now)


def called(actor, alert, retained="", orientations=(), issue="joint", key=None, **more):
    """The alert in hand is called, and the form of the call noted."""
    alert = Alert.objects.get(pk=alert.pk)
    if alert.state == "new":
        alert = alerts.take(actor=actor, alert=alert)
    alert = alerts.call(actor=actor, alert=alert)
    answers = {"ap.appele": ["patient"], "ap.issue": [issue], "ap.heure": ["10:30"]}
    if retained:
        answers |= {"ap.etat": ["bon"], "ap.niveau": [retained], "ap.orientation": list(orientations), **more}
    return calls.note(
        actor=actor, alert=alert, questionnaire=current(calls.FORM), answers=answers,
        times=Times(started_at=timezone.now()), request_key=key or uuid4(),
    )  # fmt: skip


def verbs(scene):
    return set(Event.objects.filter(dossier_id=scene.follow_up.pk).values_list("verb", flat=True))


@pytest.mark.req("EC-06")
def test_a_red_alert_lowered_by_a_doctor_leaves_a_trace_and_one_ended_is_ended(scene):
    me = actor_for(scene.member)
    after = called(me, raised(scene), "requalifie-orange", ["conseils"])
    assert (after.level, after.state) == ("orange", "reached")
    event = Event.objects.get(dossier_id=scene.follow_up.pk, verb="alert_requalified")
    assert (event.data["before"], event.data["level"], event.user_id) == ("rouge", "orange", me.user_id)
    again = called(me, after, "requalifie-vert", ["fausse-alerte"])
    assert (again.level, again.state) == ("orange", "closed")


@pytest.mark.req("EC-06")
def test_a_nurse_hands_a_red_alert_over_and_cannot_lower_it(scene, nurse):
    after = called(nurse, raised(scene), "requalifie-vert", ["conseils"])
    assert (after.level, after.state) == ("rouge", "escalated")
    with pytest.raises(NotFound):
        alerts.requalify(actor=nurse, alert=after, level="orange")
    stranger = actor_for(make_practitioner(make_establishment("Ailleurs")))
    for act in (
        lambda: alerts.requalify(actor=stranger, alert=after, level="rouge"),
        lambda: alerts.call_again(actor=stranger, alert=after, at=timezone.now()),
    ):
        with pytest.raises(NotFound):
            act()
    assert called(actor_for(scene.member), after, "requalifie-vert", ["conseils"]).state == "closed"


def test_a_nurse_who_confirms_red_on_an_orange_raises_it_and_tells_the_doctor(scene, nurse):
    after = called(nurse, raised(scene, "orange"), "confirme-rouge", ["consultation-mt"])
    assert (after.level, after.state) == ("rouge", "escalated")
    assert promise(after, scene.cell)[1] == "Médecin attendu"


@pytest.mark.req("EC-07")
def test_a_patient_sent_to_hospital_is_paused(scene):
    after = called(actor_for(scene.member), raised(scene), "confirme-rouge", ["hospitalisation-directe"])
    assert after.state == "closed"
    assert FollowUp.objects.get().state == "paused"


def test_a_call_that_is_planned_sets_the_next_call(scene):
    me = actor_for(scene.member)
    tomorrow = timezone.localdate() + timedelta(days=1)
    dated = {"ap.rappel.date": [tomorrow.isoformat()]}
    after = called(me, raised(scene, "orange"), "requalifie-vert", ["rappel-programme"], **dated)
    assert (after.state, after.call_at) == ("reached", datetime.combine(tomorrow, time(8), tzinfo=PARIS))
    assert promise(after, scene.cell) == (after.call_at, "À rappeler")
    assert "call_planned" in verbs(scene)
    ended = called(me, after, "requalifie-vert", ["conseils"])
    assert (ended.state, ended.call_at) == ("closed", None)


def test_the_hours_said_count_on_the_day_agreed(scene):
    now = datetime.combine(timezone.localdate(), time(10), tzinfo=PARIS)
    alert = raised(scene, "orange")
    said = {"ap.rappel.date": [now.date().isoformat()]}
    assert calls.call_at(alert, {**said, "ap.delai": [3]}, now) == now + timedelta(hours=3)
    assert calls.call_at(alert, said, now) == now + timedelta(hours=2)
    assert calls.call_at(alert, {**said, "ap.delai": [40]}, now) == now + timedelta(hours=2)


def test_a_cell_that_answers_day_and_night_wakes_nobody_for_a_call_planned_for_a_day(scene):
    scene.cell.opens = scene.cell.closes = time(0)
    now = datetime.combine(timezone.localdate(), time(10), tzinfo=PARIS)
    tomorrow = now.date() + timedelta(days=1)
    alert = raised(scene, "orange")
    alert.follow_up.cell = scene.cell
    said = {"ap.rappel.date": [tomorrow.isoformat()]}
    assert calls.call_at(alert, said, now) == datetime.combine(tomorrow, time(8), tzinfo=PARIS)


def test_a_planned_call_gives_way_to_a_worsening(scene):
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    reply(scene, frissons="intenses")
    planned = called(
        actor_for(scene.member), Alert.objects.get(), "requalifie-orange", ["rappel-programme"],
        **{"ap.rappel.date": [tomorrow]},
    )  # fmt: skip
    assert planned.call_at
    reply(scene, levres=True)
    after = Alert.objects.get()
    assert (after.level, after.state, after.call_at) == ("rouge", "taken", None)


def test_who_was_not_reached_is_called_again_after_the_delay_of_the_level(scene):
    before = timezone.now()
    after = called(actor_for(scene.member), raised(scene), issue="non-joint")
    assert timedelta(minutes=10) <= after.call_at - before < timedelta(minutes=11)


def test_an_alert_that_rises_during_the_call_is_called_again_as_what_it_is_now(scene):
    """The page of the call was drawn when it was orange."""
    me = actor_for(scene.member)
    drawn = alerts.call(actor=me, alert=alerts.take(actor=me, alert=raised(scene, "orange")))
    reply(scene, levres=True)
    before = timezone.now()
    after = alerts.note_call(actor=me, alert=drawn, outcome="non-joint")
    assert timedelta(minutes=10) <= after.call_at - before < timedelta(minutes=11)


def test_attempts_count_when_they_are_spaced():
    start, minute = timezone.now(), timedelta(minutes=1)
    gap = timedelta(minutes=30)
    assert spaced([], gap) == 0
    assert spaced([start, start + 29 * minute, start + 30 * minute, start + 45 * minute], gap) == 2
    assert spaced([start + 60 * minute, start, start + 30 * minute], gap) == 3


@pytest.mark.parametrize(("level", "minutes", "expected"), [("rouge", 31, True), ("rouge", 20, False), ("orange", 121, True), ("orange", 31, False)])  # fmt: skip
def test_three_calls_in_vain_within_a_day_are_red_and_the_doctors(scene, level, minutes, expected):
    """MA04: spaced by 30 min for a red alert, by 2 h for another."""
    me, alert = actor_for(scene.member), raised(scene, level)
    for issue in ("non-joint", "repondeur", "mauvais-numero"):
        Call.objects.update(created_at=F("created_at") - timedelta(minutes=minutes))
        after = called(me, alert, issue=issue)
    assert ("MA04" in after.fired, after.state == "escalated") == (expected, expected)
    assert after.level == ("rouge" if expected else level)
    assert Call.objects.count() == 3


def test_the_same_form_sent_twice_notes_and_decides_once(scene):
    me, key = actor_for(scene.member), uuid4()
    after = called(me, raised(scene), "requalifie-orange", ["conseils"], key=key)
    again = calls.note(
        actor=me, alert=after, questionnaire=current(calls.FORM), answers={}, times=Times(started_at=timezone.now()),
        request_key=key,
    )  # fmt: skip
    assert again.state == "reached"
    assert Call.objects.count() == 1


def test_a_call_that_can_no_longer_be_noted_loses_nothing_that_was_typed(scene):
    """A colleague handed the alert over meanwhile; the same form sent twice is no such case."""
    me, browser, alert = actor_for(scene.member), client_of(scene.member), raised(scene, "orange")
    alerts.call(actor=me, alert=alerts.take(actor=me, alert=alert))
    address = f"/suivi/{scene.follow_up.pk}/appel/"
    posted = {
        "request_key": str(browser.get(address).context["fill"].request_key), "q-ap.appele": "patient", "q-ap.issue": "joint",
        "q-ap.heure": "10:30", "q-ap.etat": "bon", "q-ap.niveau": "requalifie-vert", "q-ap.orientation": ["conseils"],
        "q-ap.consignes": "Boire davantage",
    }  # fmt: skip
    alerts.escalate(actor=me, alert=Alert.objects.get())
    refused = browser.post(address, posted)
    assert refused.status_code == 422
    page = refused.content.decode()
    for words in ("Transmise au médecin", "Ce que vous avez saisi est resté", "Boire davantage"):
        assert words in page, words
    assert not Call.objects.exists()
    alerts.call(actor=me, alert=Alert.objects.get())
    for _twice in range(2):
        assert browser.post(address, posted)["Location"] == f"/suivi/{scene.follow_up.pk}/"
    assert (Alert.objects.get().state, Call.objects.count()) == ("closed", 1)


@pytest.mark.req("EC-06")
def test_a_teleconsultation_leads_to_its_booking_with_what_is_known(scene):
    """Reason, patient, and to whom the links of the follow-up go."""
    grant, _secrets = make_grant(
        scene.patient, about=scene.follow_up.pk, holder="parent", holder_name="Anne Petit", email="anne@exemple.test"
    )
    browser = client_of(scene.member)
    raised(scene)
    browser.post(f"/suivi/{scene.follow_up.pk}/alerte/take/")
    browser.post(f"/suivi/{scene.follow_up.pk}/alerte/call/")
    address = f"/suivi/{scene.follow_up.pk}/appel/"
    page = browser.get(address)
    assert "Alerte rouge : un médecin la termine" in page.content.decode()
    noted = browser.post(
        address,
        {
            "request_key": str(page.context["fill"].request_key), "q-ap.appele": "patient", "q-ap.issue": "joint",
            "q-ap.heure": "10:30",
            "q-ap.etat": "moyen", "q-ap.niveau": "requalifie-orange", "q-ap.orientation": ["teleconsultation"],
        },
    )  # fmt: skip
    assert noted.status_code == 302, noted.context["fill"].errors
    booking = browser.get(noted["Location"])
    form = booking.context["form"]
    assert (form["reason"].value(), form["patient"].value()) == ("COVID_19", str(scene.patient.pk))
    assert (form["holder"].value(), form["holder_name"].value(), form["email"].value()) == (
        "parent", grant.holder_name, grant.email,
    )  # fmt: skip
    assert "Anne" not in noted["Location"]
    assert Alert.objects.get().level == "orange"
    follow_up = browser.get(f"/suivi/{scene.follow_up.pk}/").content.decode()
    for words in ("Requalifié en orange", "Téléconsultation", "Rappeler", "Terminer l’alerte"):
        assert words in follow_up, words
    stranger = make_practitioner(make_establishment("Ailleurs"))
    seen = client_of(stranger).get(noted["Location"]).context["form"]
    assert (seen["patient"].value(), seen["email"].value()) == (None, None)
