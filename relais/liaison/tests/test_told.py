"""Each side hears of what the other one wrote: by a message, and on its list until it is read (FG-06, FG-08)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_member
from relais.dossiers.models import Document, Event
from relais.liaison import delays, messages
from relais.liaison.actions import deciding, watching
from relais.liaison.models import Decision, Note, Request
from relais.liaison.testing import make_home, make_request, taken, upload
from relais.notifications.models import Message
from relais.oncall.models import OnCallSlot

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
SAID = {
    "code": "maintien-traitement",
    "care_level": "pas-de-rea",
    "justification": "Foyer.",
    "family": "oui",
    "review": "0",
}
HOME, ON_CALL = "/liaison/residents/", "/liaison/astreinte/"


def text(browser, path):
    return browser.get(path).content.decode()


def wanted(kind, user_id):
    """Whether the one message of this kind to somebody would leave now."""
    found = Message.objects.get(type=kind, holder_id=user_id)
    return messages.TEXTS[kind].still_wanted(found)


@pytest.mark.req("FG-06", "FG-08")
def test_the_nurse_is_told_of_an_opinion_by_sms_and_the_list_rings_until_somebody_of_the_home_has_read_it():
    scene = make_home()
    scene.nurse.user.mobile = "+33639980123"
    scene.nurse.user.save()
    demand, nobody = taken(scene), make_member(scene.home, Role.CAREGIVER)
    nurse, other, doctor, url = (*map(client_of, (scene.nurse, nobody, scene.doctor)), f"/liaison/{demand.pk}/")
    assert "Avis à lire" not in text(nurse, HOME)
    doctor.post(f"{url}decision/", SAID)
    told = Message.objects.get(type="liaison.opinion")
    assert (told.holder_id, told.channel, told.address) == (scene.nurse.user_id, "sms", "+33639980123")
    assert messages.TEXTS[told.type].render(told, {}).text.startswith("Relais : un avis vous attend http")
    pk = Decision.objects.get().pk
    for browser in (nurse, other):
        assert f'data-waiting="{pk}" data-waiting-label="Avis à lire : VASSEUR Odette' in text(browser, HOME)
    assert ("Avis à lire" in text(doctor, ON_CALL), wanted(told.type, scene.nurse.user_id)) == (False, True)
    assert f"{url}lues/?vu={pk}" in text(nurse, url)
    doctor.post(f"{url}lues/?vu={pk}")  # the doctor's own eyes are not the home's
    assert "Avis à lire" in text(nurse, HOME)
    other.post(f"{url}lues/?vu={pk}")
    assert ("Avis à lire" in text(nurse, HOME), wanted(told.type, scene.nurse.user_id)) == (False, True)
    nurse.post(f"{url}lues/?vu={pk}")
    assert (wanted(told.type, scene.nurse.user_id), "lues/?vu=" in text(nurse, url)) == (False, False)


@pytest.mark.req("FG-08")
def test_an_opinion_on_a_request_that_is_closed_at_once_still_calls_the_nurse():
    scene = make_home()
    demand = taken(scene)
    doctor, nurse, url = client_of(scene.doctor), client_of(scene.nurse), f"/liaison/{demand.pk}/"
    doctor.post(f"{url}decision/", SAID)
    doctor.post(f"{url}close/", {"why": "ameliore"})
    assert Request.objects.get().state == "cloturee"
    assert ("Avis à lire : VASSEUR" in text(nurse, HOME), wanted("liaison.opinion", scene.nurse.user_id)) == (
        True,
        True,
    )
    nurse.post(f"{url}lues/?vu={Decision.objects.get().pk}")
    assert ("Avis à lire : VASSEUR" in text(nurse, HOME), wanted("liaison.opinion", scene.nurse.user_id)) == (
        False,
        False,
    )


@pytest.mark.req("FG-06", "FG-08")
def test_a_question_calls_the_home_and_its_answer_the_doctor_who_has_the_request():
    scene = make_home()
    demand = taken(scene)
    doctor, nurse, url = client_of(scene.doctor), client_of(scene.nurse), f"/liaison/{demand.pk}/"
    doctor.post(f"{url}ask/", {"text": "Diurèse ?"})
    assert wanted("liaison.question", scene.nurse.user_id)
    assert "Question du médecin à lire : VASSEUR" in text(nurse, HOME)
    nurse.post(f"{url}lues/?vu={Note.objects.get().pk}")
    assert not wanted("liaison.question", scene.nurse.user_id)
    assert "Question du médecin à lire" not in text(nurse, HOME)
    nurse.post(f"{url}give/", {"text": "Conservée."})
    assert wanted("liaison.given", scene.doctor.user_id)
    assert not Message.objects.filter(type="liaison.given").exclude(holder_id=scene.doctor.user_id).exists()
    colleague = client_of(scene.colleague)
    assert ["Complément à lire : VASSEUR" in text(one, ON_CALL) for one in (doctor, colleague)] == [True, False]
    doctor.post(f"{url}lues/?vu={Note.objects.get(kind='give').pk}")
    assert (wanted("liaison.given", scene.doctor.user_id), "Complément à lire" in text(doctor, ON_CALL)) == (
        False,
        False,
    )
    live = doctor.get(url, headers={"hx-request": "true"}).content.decode()
    assert ("Conservée." in live, "data-waiting-label" in live) == (True, False)


def test_whoever_wrote_within_the_shift_is_told_and_whoever_left_the_home_never():
    """A colleague who took over the night and wrote is told in place of the nurse of the morning; nobody else's answer is."""
    scene = make_home()
    demand = taken(scene)
    night = make_member(scene.home, Role.CAREGIVER)
    Event.objects.filter(dossier=demand.pk).update(at=timezone.now() - timedelta(hours=13))
    client_of(night).post(f"/liaison/{demand.pk}/notes/", {"text": "Je prends la suite."})
    deciding.ask(actor=scene.doctor_actor, demand=demand, text="Diurèse ?")
    assert Message.objects.get(type="liaison.question").holder_id == night.user_id
    Event.objects.filter(dossier=demand.pk).update(at=timezone.now() - timedelta(hours=13))
    night.ended_at = timezone.now()
    night.save()
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/decision/", SAID)
    assert Message.objects.get(type="liaison.opinion").holder_id == scene.nurse.user_id


def test_an_open_page_that_nobody_touches_rings_when_the_answer_comes_into_it():
    scene = make_home()
    demand = taken(scene)
    nurse, url = client_of(scene.nurse), f"/liaison/{demand.pk}/"
    client_of(scene.doctor).post(f"{url}ask/", {"text": "Diurèse ?"})
    opened, came = nurse.get(url).content.decode(), nurse.get(url, headers={"hx-request": "true"}).content.decode()
    words = 'data-waiting-label="Question du médecin à lire"'
    assert ("rooms/chime.js" in opened, words in opened, words in came) == (True, False, True)


def kinds(user):
    return list(Message.objects.filter(holder_id=user.pk).order_by("created_at", "pk").values_list("type", flat=True))


@pytest.mark.req("FG-08", "FG-10")
def test_an_opinion_that_does_not_come_is_asked_of_its_doctor_then_of_the_others_and_the_referent_once_each():
    scene = make_home()
    manager = make_member(scene.service.establishment, Role.MANAGER)
    demand = taken(scene, urgence="urgente")
    sent, people = demand.submitted_at, (scene.doctor, scene.colleague, manager)

    def told():
        return [[kind for kind in kinds(one.user) if kind != "liaison.asked"] for one in people]

    watching.watch(sent + 59 * MINUTE)
    assert told() == [[], [], []]
    for minutes in (60, 61, 74):
        watching.watch(sent + minutes * MINUTE)
    assert told() == [["liaison.awaited"], [], []]
    for minutes in (75, 76, 300):
        watching.watch(sent + minutes * MINUTE)
    assert told() == [["liaison.awaited"], ["liaison.help"], ["liaison.help_here"]]
    found = Request.objects.get()
    assert (found.state, found.responsible) == ("prise-en-charge", scene.doctor.user), "it stays with its doctor"
    link = Message.objects.get(type="liaison.help_here").context["link"]
    assert client_of(manager).get("/" + link.split("/", 3)[3]).status_code == 200
    words = text(client_of(scene.doctor), f"/liaison/{demand.pk}/")
    assert "le médecin est prévenu que le délai est passé" in words
    assert wanted("liaison.awaited", scene.doctor.user_id)
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/decision/", SAID)
    assert not any(
        wanted(kind, one.user_id)
        for kind, one in zip(("liaison.awaited", "liaison.help", "liaison.help_here"), people, strict=True)
    )


@pytest.mark.req("FG-08")
@pytest.mark.parametrize(
    ("urgency", "advise", "again"), [("vitale", 15, 5), ("rapide", 240, 30), ("differee", 1440, 120)]
)
def test_the_delays_of_an_opinion_are_those_of_the_scheme(urgency, advise, again):
    now = timezone.now()
    assert delays.urges(urgency, now, now) == [now + advise * MINUTE, now + (advise + again) * MINUTE]


@pytest.mark.req("FG-08")
def test_an_opinion_that_was_given_in_time_is_asked_of_nobody():
    scene = make_home()
    demand = taken(scene, urgence="urgente")
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/decision/", SAID)
    watching.watch(demand.submitted_at + 300 * MINUTE)
    assert not Message.objects.filter(type__in=["liaison.awaited", "liaison.help", "liaison.help_here"]).exists()


@pytest.mark.req("FG-08")
def test_a_question_that_stays_open_reminds_the_home_and_does_not_blame_the_doctor():
    scene = make_home()
    demand = taken(scene, urgence="urgente")
    client_of(scene.doctor).post(f"/liaison/{demand.pk}/ask/", {"text": "Diurèse ?"})
    for minutes in (59, 60, 61, 74):
        watching.watch(demand.submitted_at + minutes * MINUTE)
    assert kinds(scene.nurse.user) == ["liaison.question", "liaison.reminded"]
    assert "liaison.awaited" not in kinds(scene.doctor.user)
    for minutes in (75, 76):
        watching.watch(demand.submitted_at + minutes * MINUTE)
    assert kinds(scene.doctor.user)[-1:] == ["liaison.silent"], "who may telephone"
    assert kinds(scene.colleague.user) == []
    now = timezone.now()
    Request.objects.update(submitted_at=now - 70 * MINUTE, late_told_at=now - MINUTE)
    home, on_call = text(client_of(scene.nurse), HOME), text(client_of(scene.doctor), ON_CALL)
    assert ("Complément à donner : VASSEUR" in home, "Avis attendu : VASSEUR" in on_call) == (True, False)
    assert ["En retard : complément attendu" in page for page in (home, on_call)] == [True, True]
    client_of(scene.nurse).post(f"/liaison/{demand.pk}/give/", {"text": "Conservée."})
    assert not wanted("liaison.reminded", scene.nurse.user_id)
    now = timezone.now()
    watching.watch(now)
    assert "liaison.awaited" not in kinds(scene.doctor.user), "the doctor has the time to take one, first"
    watching.watch(now + 300 * MINUTE)
    assert kinds(scene.doctor.user).count("liaison.awaited") == 1


@pytest.mark.req("FG-08")
def test_the_list_of_its_doctor_rings_and_says_since_when_the_opinion_is_awaited():
    scene = make_home()
    taken(scene, urgence="urgente")
    lists = [client_of(one) for one in (scene.doctor, scene.colleague)]
    assert not any("Avis attendu : VASSEUR" in text(one, ON_CALL) for one in lists)
    Request.objects.update(submitted_at=timezone.now() - 64 * MINUTE)
    pages = [text(one, ON_CALL) for one in lists]
    assert ["Avis attendu : VASSEUR" in page for page in pages] == [True, False]
    assert all("En retard : avis attendu" in page and "depuis 4 min" in page for page in pages)


@pytest.mark.req("FG-10")
@pytest.mark.parametrize(
    ("duty", "own", "channel", "address"),
    [
        ("06 39 98 00 55", "+33639980123", "sms", "+33639980055"),
        ("01 99 00 12 34", "+33639980123", "sms", "+33639980123"),
        ("poste 4521", "", "email", None),
        ("06 39 98 00 55", "", "sms", "+33639980055"),
    ],
)
def test_whoever_is_on_duty_is_called_on_the_mobile_of_the_duty_else_on_their_own_else_by_e_mail(
    duty, own, channel, address
):
    """The doctor and the back-up alike; off duty, on one's own."""
    scene = make_home()
    OnCallSlot.objects.filter(user=scene.doctor.user).update(
        phone=duty, backup=scene.colleague.user, backup_phone="06 39 98 00 66"
    )
    for one in (scene.doctor, scene.colleague):
        one.user.mobile = own
        one.user.save()
    demand = make_request(scene)
    told = Message.objects.get(type="liaison.asked")
    assert (told.channel, told.address) == (channel, address or scene.doctor.user.email)
    messages.tell(messages.LATE, demand, scene.colleague.user)
    assert Message.objects.get(type="liaison.late").address == "+33639980066"
    OnCallSlot.objects.filter(user=scene.doctor.user).update(
        starts_at=timezone.now() - 60 * MINUTE, ends_at=timezone.now() - MINUTE
    )
    messages.tell(messages.REVIEW, demand, scene.doctor.user)
    assert Message.objects.get(type="liaison.review").address == (own or scene.doctor.user.email)


@pytest.mark.req("FG-05", "FG-06")
def test_the_document_that_the_doctor_waits_for_shows_on_the_list_and_calls_once_until_it_is_looked_at():
    """What came with the request, or before somebody took it, is read with it."""
    scene = make_home()
    demand = make_request(scene)
    doctor, nurse, url = client_of(scene.doctor), client_of(scene.nurse), f"/liaison/{demand.pk}/"

    def add(browser, title):
        browser.post(f"{url}documents/", {"file": upload("ecg.txt"), "title": title})

    add(nurse, "Ordonnance")
    doctor.post(f"{url}take/")
    assert "document non lu" not in text(doctor, ON_CALL)
    add(nurse, "Biologie")
    assert "1 document non lu" in text(doctor, ON_CALL)
    assert not Message.objects.filter(type="liaison.document").exists(), "nobody asked for it"
    doctor.post(f"{url}lues/?vu={Document.objects.get(title='Biologie').pk}")
    assert "document non lu" not in text(doctor, ON_CALL)
    doctor.post(f"{url}ask/", {"text": "Un ECG ?"})
    for title in ("ECG", "ECG, suite"):
        add(nurse, title)
    assert wanted("liaison.document", scene.doctor.user_id)
    pages = [text(one, path) for one, path in ((doctor, ON_CALL), (nurse, HOME), (doctor, url))]
    assert ["2 documents non lus" in page for page in pages] == [True, False, False]
    last = Document.objects.get(title="ECG, suite").pk
    assert (f"lues/?vu={last}" in pages[2], pages[2].count("Non lu</")) == (True, 2)
    doctor.post(f"{url}lues/?vu={last}")
    assert ("non lus" in text(doctor, ON_CALL), wanted("liaison.document", scene.doctor.user_id)) == (False, False)
    add(doctor, "Ordonnance du soir")
    assert "1 document non lu" in text(nurse, HOME)
