"""MA04: three calls to the patient in vain, then those close to them, the treating doctor, then a physician decides."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import NotFound, Refused
from relais.dossiers.models import Event
from relais.patients.testing import make_grant, make_patient
from relais.telemonitoring.actions import calls
from relais.telemonitoring.models import Alert, Call
from relais.telemonitoring.queries.reaching import people
from relais.telemonitoring.reaching import CHECK, Called, Person, next_of, was_tried
from relais.telemonitoring.testing import include, join, make_follow_up

pytestmark = pytest.mark.django_db
CLOSE = [
    {"inc.aidant.nom": ["Anne Petit"], "inc.aidant.telephone": ["06 39 98 77 21"]},
    {"inc.aidant.nom": ["Paul Petit"], "inc.aidant.telephone": ["06 39 98 77 22"]},
]
NAMES = {"Anne": ("proche", "Anne Petit"), "Paul": ("proche", "Paul Petit"), "doctor": ("medecin-traitant", "")}


@pytest.fixture
def scene():
    """A patient with two people close to them, and a treating doctor whom Relais knows."""
    found = make_follow_up()
    include(found, {"inc.aidant": CLOSE, "inc.medecin": ["89900000031"]})
    place = make_establishment("Cabinet des Lilas", phone="01 99 00 31 31")
    make_practitioner(place, family_name="Caron", rpps="89900000031")
    return found


def url(scene, end="appel/"):
    return f"/suivi/{scene.follow_up.pk}/{end}"


def opened(scene, level="rouge"):
    now = timezone.now()
    return Alert.objects.create(follow_up=scene.follow_up, level=level, fired=["AR01"], since=now, opened_at=now)


def called(browser, scene, issue="non-joint", who=None):
    """A call begun and noted on the page, 31 minutes after the one before; `who`: as the page proposes when not said."""
    Call.objects.update(created_at=F("created_at") - timedelta(minutes=31))
    browser.post(url(scene, "alerte/take/"))
    assert browser.post(url(scene, "alerte/call/")).status_code == 302
    page = browser.get(url(scene))
    known = page.context["fill"].answers
    whom, name = NAMES[who] if who else (known["ap.appele"][0], next(iter(known.get("ap.personne", [])), ""))
    said = {
        "request_key": str(page.context["fill"].request_key), "q-ap.appele": whom, "q-ap.personne": name,
        "q-ap.issue": issue, "q-ap.heure": "10:30",
    }  # fmt: skip
    if issue in ("joint", "proche-joint", "medecin-joint"):
        said |= {"q-ap.etat": "bon", "q-ap.niveau": "confirme-rouge", "q-ap.orientation": "conseils"}
    answer = browser.post(url(scene), said)
    assert answer.status_code == 302, answer.context["fill"].errors
    return Alert.objects.get()


def three_in_vain(browser, scene):
    return [called(browser, scene) for _number in range(3)][-1]


def now_of(browser, scene):
    return [one.person.name for one in browser.get(url(scene)).context["turns"] if one.now]


def test_the_first_nobody_has_tried_is_next_and_then_the_physician():
    patient, anne, paul = Person("patient", "P"), Person("proche", "Anne"), Person("proche", "Paul")
    doctor = Person("medecin-traitant", "Dr C")
    everybody = [patient, anne, paul, doctor]
    assert next_of(everybody, set()) == patient
    assert next_of(everybody, {("patient", "")}) == anne
    assert next_of(everybody, {("patient", ""), ("proche", "Anne")}) == paul
    assert next_of(everybody, {("patient", ""), ("proche", "")}) == doctor, "without a name it stands for them all"
    assert next_of(everybody, {("patient", ""), ("proche", ""), ("medecin-traitant", "x")}) == CHECK
    assert next_of([patient], {("patient", "")}) == CHECK, "nobody else is known"
    assert not was_tried(anne, {("proche", "Paul")})


@pytest.mark.req("EC-06")
def test_after_three_calls_each_person_comes_in_turn_until_a_physician_decides(scene):
    browser = client_of(scene.member)
    opened(scene)
    assert now_of(browser, scene) == [scene.patient.full_name]
    assert (called(browser, scene).next_called, called(browser, scene).next_called) == ("", "")
    alert = called(browser, scene, "repondeur")
    assert ("MA04" in alert.fired, alert.state, alert.next_called) == (True, "escalated", "proche")
    assert now_of(browser, scene) == ["Anne Petit"]
    listed = browser.get("/suivi/").content.decode()
    assert "Trois appels au patient sans réponse : appeler maintenant un proche" in listed
    assert called(browser, scene).next_called == "proche"
    assert now_of(browser, scene) == ["Paul Petit"]
    alert = called(browser, scene, "sans-nouvelles")
    assert (alert.state, alert.next_called) == ("unreached", "medecin-traitant")
    page = browser.get(url(scene)).content.decode()
    for words in (
        "appeler maintenant son médecin traitant",
        "01 99 00 31 31",
        "Cabinet des Lilas",
        "Proche (Paul Petit)",
    ):
        assert words in page, words
    alert = called(browser, scene)
    assert (alert.state, alert.next_called) == ("escalated", "verification")
    assert "un médecin décide si quelqu’un va voir" in browser.get(url(scene, "")).content.decode()
    rows = list(Call.objects.order_by("created_at").values_list("called", "person", "outcome"))
    assert rows == [
        ("patient", "", "non-joint"), ("patient", "", "non-joint"), ("patient", "", "repondeur"),
        ("proche", "Anne Petit", "non-joint"), ("proche", "Paul Petit", "sans-nouvelles"),
        ("medecin-traitant", "Dr Claire Caron", "non-joint"),
    ]  # fmt: skip


@pytest.mark.req("EC-06")
def test_a_physician_decides_and_the_patient_is_called_again(scene):
    browser, nurse = client_of(scene.member), make_member(scene.cell.establishment, Role.CAREGIVER)
    join(scene.cell, nurse)
    opened(scene)
    three_in_vain(browser, scene)
    assert "Noter la décision" not in client_of(nurse).get(url(scene)).content.decode()
    assert client_of(nurse).post(url(scene, "appel/verification/"), {"decision": "samu"}).status_code == 404
    assert browser.post(url(scene, "appel/verification/"), {"decision": "rien"}).status_code == 409
    assert "Noter la décision" in browser.get(url(scene)).content.decode(), "a physician does not wait for the others"
    assert browser.post(url(scene, "appel/verification/"), {"decision": "samu"}).status_code == 302
    alert = Alert.objects.get()
    assert (alert.state, alert.next_called, alert.level) == ("unreached", "patient", "rouge")
    assert alert.call_at > timezone.now()
    page = browser.get(url(scene, "")).content.decode()
    for words in ("SAMU (15) appelé", "rappeler le patient", "Un médecin a décidé"):
        assert words in page, words
    assert Event.objects.filter(verb="alert_check").count() == 1
    assert now_of(browser, scene) == [scene.patient.full_name]
    assert called(browser, scene).next_called == "proche", "then the others again"


def test_news_from_anybody_ends_the_sequence(scene):
    browser = client_of(scene.member)
    opened(scene)
    three_in_vain(browser, scene)
    alert = called(browser, scene, "medecin-joint", who="doctor")
    assert (alert.state, alert.next_called) == ("reached", "")
    assert "appeler maintenant" not in browser.get("/suivi/").content.decode()
    assert "Médecin traitant joint" in browser.get(url(scene, "")).content.decode()


def test_calls_to_others_do_not_count_as_calls_to_the_patient(scene):
    browser = client_of(scene.member)
    opened(scene)
    for who in ("Anne", "Paul", "doctor"):
        alert = called(browser, scene, who=who)
    assert ("MA04" in alert.fired, alert.state) == (False, "unreached")
    alert = three_in_vain(browser, scene)
    assert alert.next_called == "verification", "they were called already"


def test_the_address_names_another_person_and_nothing_else(scene):
    browser = client_of(scene.member)
    opened(scene)
    for asked, whom in (("3", "Paul Petit"), ("99", ""), ("x", ""), ("0", "")):
        answers = browser.get(url(scene), {"personne": asked}).context["fill"].answers
        assert next(iter(answers.get("ap.personne", [])), "") == whom, asked


def test_before_three_calls_nobody_decides_of_a_check_nor_does_somebody_of_elsewhere(scene):
    alert = opened(scene)
    browser = client_of(scene.member)
    called(browser, scene)
    with pytest.raises(Refused, match="trois appels"):
        calls.decide_check(actor=actor_for(scene.member), alert=alert, decision="samu")
    stranger = make_practitioner(make_establishment("Ailleurs"))
    with pytest.raises(NotFound):
        calls.decide_check(actor=actor_for(stranger), alert=alert, decision="samu")
    assert client_of(stranger).post(url(scene, "appel/verification/"), {"decision": "samu"}).status_code == 404
    assert not Call.objects.filter(called=Called.CHECK).exists()


def test_each_number_stands_once_and_who_holds_the_link_of_a_child_is_who_is_called():
    child = make_follow_up(patient=make_patient("Petit", phone=""))
    make_grant(child.patient, about=child.follow_up.pk, holder="parent", holder_name="Anne Petit", phone="+33639987721")
    include(child, {"inc.aidant": CLOSE})
    found = people(child.follow_up)
    assert [(one.called, one.name) for one in found] == [("patient", child.patient.full_name), ("proche", "Paul Petit")]
    assert found[0].numbers == ("+33639987721",)
    alone = make_follow_up(patient=make_patient("Seul", phone=""))
    assert [one.called for one in people(alone.follow_up)] == ["patient"]
