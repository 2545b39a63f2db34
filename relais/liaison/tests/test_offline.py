"""A request written without network arrives once, under the name of its author, or says in a sentence why it does not (issue 4 §2)."""

import json
import random
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from relais.accounts.models import Membership, Role
from relais.accounts.testing import client_of, make_member
from relais.audit.models import Entry
from relais.core.testing.sealing import close
from relais.dossiers.models import Participant
from relais.files.tests import make
from relais.liaison.actions import asking, offline
from relais.liaison.models import Request
from relais.liaison.queries import lists, shelf
from relais.liaison.testing import answers, make_home, make_request, posted
from relais.notifications.models import Message
from relais.patients.models import CareLink, Patient
from relais.patients.testing import make_patient
from relais.questionnaires.testing import source

pytestmark = [pytest.mark.django_db, pytest.mark.req("D12")]
SEND, STATE, SHELL, WORKER = (f"/liaison/hors-ligne{end}" for end in ("/envoyer/", "/etat/", "/", ".js"))


@pytest.fixture
def scene():
    return make_home()


def seal(scene, key=None, written=None, member=None, demand=None, **content):
    """What the tablet of `member` (the nurse) sends of a request written at `written` (now)."""
    at, member = written or timezone.now(), member or scene.nurse
    said = {
        "demand": str(demand.pk) if demand else "",
        "patient": str(scene.resident.pk),
        "establishment": str(scene.home.pk),
        "version": source("liaison", "filgeria-demande")["version"],
        "answers": answers(),
        "started_at": (at - timedelta(minutes=4)).isoformat(),
        "ended_at": at.isoformat(),
        **content,
    }
    closed = close(offline.PURPOSE, member.user_id, key or uuid4(), said)
    return {**closed, "whose": str(member.user_id), "device_at": timezone.now().isoformat()}


def send(envelope, member):
    return client_of(member).post(
        SEND, json.dumps(envelope), "application/json", headers={"accept": "application/json"}
    )


def test_the_same_closed_request_sent_five_times_is_one_request_and_says_who_is_told(scene):
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    written = timezone.now() - timedelta(hours=2)
    envelope = seal(scene, demand=draft, written=written, answers=answers(spo2=84))
    said = [send(envelope, scene.nurse) for _time in range(5)]
    assert [one.status_code for one in said] == [200] * 5
    assert [one.json()["again"] for one in said] == [False] + [True] * 4
    assert f"Un message part à {scene.doctor.user.full_name}." in said[0].json()["said"]
    demand = Request.objects.get()
    assert (demand.pk, demand.state, demand.red, demand.responsible) == (draft.pk, "soumise", True, scene.doctor.user)
    assert (demand.response.user_id, demand.response.ended_at) == (scene.nurse.user_id, written)
    assert Message.objects.filter(type="liaison.asked", holder_id=scene.doctor.user_id).count() == 1
    page = client_of(scene.doctor).get(said[0].json()["url"]).content.decode()
    assert "Faute de réseau, écrite" in page


def test_a_request_begun_without_network_makes_one_of_its_own_however_often_it_comes(scene):
    envelope = seal(scene)
    assert {send(envelope, scene.nurse).status_code for _time in range(2)} == {200}
    assert Request.objects.get().state == "soumise"


def test_a_hundred_writings_of_three_tablets_arrive_once_each_and_conflicts_are_said(scene):
    """D12. 60 requests, ten of them in drafts begun before the cut and 40 about twenty residents of two tablets, and 40 savings
    of drafts, 20 of them of ten that two tablets fill. Each fifth is sent twice, in any order. Of two requests about one
    resident the later reads who sent the first; of two pages of one draft the later is told, and erases nothing."""
    chance, at = random.Random(12), timezone.now() - timedelta(hours=1)
    writers = [scene.nurse, *(make_member(scene.home, Role.CAREGIVER, family_name=name) for name in ("Deux", "Trois"))]
    browsers = [client_of(member) for member in writers]
    people = [make_patient(f"Résident{number}", seen_by=scene.home) for number in range(70)]
    about = [*range(40), *range(20, 40), *range(40, 70), *range(41, 51)]  # writing → resident, some of two tablets
    begun = {
        number: asking.start(actor=scene.nurse_actor, patient=people[number]) for number in (*range(10), *range(40, 70))
    }

    def closed(number):
        """What the tablet posts of this writing: where, and what."""
        demand, text = begun.get(about[number]), f"Écrit hors ligne, n° {number}"
        if number >= 60:
            return f"/liaison/{demand.pk}/brouillon/", {
                "q-fg.question.txt": text, "request_key": str(uuid4()), "drafted": "",
            }  # fmt: skip
        said = {"written": at, "patient": str(people[about[number]].pk), "answers": answers(question__txt=text)}
        return SEND, json.dumps(seal(scene, member=writers[number % 3], demand=demand, **said))

    kept = [closed(number) for number in range(100)]
    sendings = [*range(100), *range(0, 100, 5)]
    chance.shuffle(sendings)
    first, said = {}, {number: [] for number in range(100)}  # resident → the writing that came first
    for number in sendings:
        (url, body), browser = kept[number], browsers[number % 3]
        first.setdefault(about[number], number)
        sent = browser.post(url, body, "application/json") if isinstance(body, str) else browser.post(url, body)
        said[number].append((sent.status_code, sent.json()))

    arrived = Request.objects.filter(state="soumise").select_related("response")
    assert sorted((one.patient_id, one.response.user_id, one.response.answers["fg.question.txt"]) for one in arrived) == (
        sorted((people[who].pk, writers[number % 3].user_id, [f"Écrit hors ligne, n° {number}"])
               for who, number in first.items() if number < 60)
    )  # fmt: skip
    drafts = Request.objects.filter(state="brouillon").values_list("patient_id", "draft__fg.question.txt")
    assert sorted(drafts) == sorted(
        (people[who].pk, [f"Écrit hors ligne, n° {number}"]) for who, number in first.items() if number >= 60
    )
    assert Request.objects.count() == 70
    for number, heard in said.items():
        before = first[about[number]]
        if number >= 60:
            assert [("kept" in told, told.get("other")) for _status, told in heard] == (
                [(True, None) if number == before else (False, True)] * len(heard)
            )
        elif number == before:
            assert [(status, told["again"]) for status, told in heard] == [(200, False), (200, True)][: len(heard)]
        else:
            author = writers[before % 3].user.full_name
            assert all((status, f"envoyée par {author}" in told["error"]) == (409, True) for status, told in heard)
    assert len({number for number in said if number != first[about[number]]}) == 30, "conflicts"


def test_sent_by_the_page_and_again_by_the_tablet_it_is_one_request(scene):
    """The network was cut after the request had arrived, before the page that said so."""
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    key = uuid4()
    fields = {
        "request_key": str(key),
        **{f"q-{name}": values for name, values in answers().items() if name != "fg.visio"},
    }
    client_of(scene.nurse).post(f"/liaison/{draft.pk}/saisie/", {**fields, "q-fg.visio": "false", "q-fg.temp": "37,2"})
    assert send(seal(scene, key, demand=draft), scene.nurse).json()["again"] is True


def test_a_vital_request_leaves_although_an_older_one_is_still_open(scene):
    """The resident of last week is worse tonight: FG-R1 runs and the SAMU is called in."""
    days_ago = timezone.now() - timedelta(days=6)
    old = make_request(scene)
    Request.objects.filter(pk=old.pk).update(state="a-reevaluer", submitted_at=days_ago, review_at=timezone.now())
    for demand in (None, old):  # begun without network, or on a page of the old one
        said = send(seal(scene, demand=demand, answers=answers(urgence="vitale", spo2=82)), scene.nurse)
        assert said.status_code == 200, said.json()
        made = Request.objects.exclude(pk=old.pk).get()
        assert (made.state, made.red, made.urgency) == ("soumise", True, "vitale")
        assert Participant.objects.filter(dossier=made.pk, service=scene.samu, until=None).exists()
        made.dossier.delete()


def test_signs_for_which_one_calls_15_leave_the_tablet_without_a_motive(scene):
    """As from the page; other signs do not."""
    short = {"motif": None, "gir": None, "urgence": "vitale"}
    assert send(seal(scene, answers=answers(spo2=85, **short)), scene.nurse).status_code == 409
    assert send(seal(scene, answers=answers(spo2=84, **short)), scene.nurse).status_code == 200
    made = Request.objects.get(state="soumise")
    assert Participant.objects.filter(dossier=made.pk, service=scene.samu, until=None).exists()


def test_sent_again_after_it_was_completed_it_is_known_for_the_same(scene):
    """Its answers are others by then: those that replace what the tablet had sent."""
    envelope = seal(scene, answers=answers(urgence="vitale", gir=None))
    url = send(envelope, scene.nurse).json()["url"]
    client_of(scene.nurse).post(f"{url}completer/", {"q-fg.gir": "2", "request_key": str(uuid4())})
    assert Request.objects.get().response.answers["fg.gir"] == ["2"]
    again = send(envelope, scene.nurse)
    assert (again.status_code, again.json()["again"], again.json()["url"]) == (200, True, url)
    assert Request.objects.count() == 1


def test_the_tablet_hears_whether_the_files_that_the_page_sent_have_arrived(scene):
    drafts = [asking.start(actor=scene.nurse_actor, patient=one) for one in (scene.resident, other_of(scene))]
    for draft, files in zip(drafts, ({"q-fg.pieces": SimpleUploadedFile("mot.pdf", make.pdf())}, {}), strict=True):
        form = posted()
        sent = client_of(scene.nurse).post(f"/liaison/{draft.pk}/saisie/", {**form, **files})
        assert sent.status_code == 302, sent.content
        envelope = seal(scene, UUID(form["request_key"]), demand=draft, patient=str(draft.patient_id))
        said = send(envelope, scene.nurse).json()
        assert (said["again"], said["files"]) == (True, bool(files))


def other_of(scene):
    return make_patient("Petit", "Lucien", seen_by=scene.home)


def test_nobody_sends_what_a_colleague_wrote(scene):
    """A shared tablet: it waits for its author, and says so."""
    other = make_member(scene.home, Role.CAREGIVER)
    envelope = seal(scene)
    refused = send(envelope, other)
    assert (refused.status_code, "autre professionnel" in refused.json()["error"]) == (403, True)
    forged = send({**envelope, "whose": str(other.user_id)}, other)
    assert (forged.status_code, "abîmées" in forged.json()["error"]) == (409, True)
    assert not Request.objects.exists()
    assert send(envelope, scene.nurse).status_code == 200


def test_once_the_session_has_ended_it_waits_for_the_sign_in(scene):
    stranger = Client()
    sent = stranger.post(SEND, json.dumps(seal(scene)), "application/json", headers={"accept": "application/json"})
    assert (sent.status_code, stranger.get(STATE).status_code) == (401, 401)
    mine = client_of(scene.nurse).get(STATE).json()
    assert (mine["user"], mine["establishment"]) == (str(scene.nurse.user_id), str(scene.home.pk))
    assert mine["csrf"]


def _left(scene):
    CareLink.objects.filter(patient=scene.resident).update(until=timezone.now())


def _died(scene):
    Patient.objects.filter(pk=scene.resident.pk).update(deceased_on=timezone.localdate())


def _sent_by_a_colleague(scene):
    make_request(scene)


@pytest.mark.parametrize(
    ("happened", "content", "words"),
    [
        (_left, {}, "n’est plus suivi par votre établissement"),
        (_died, {}, "est décédé"),
        (_sent_by_a_colleague, {}, "est déjà partie le"),
        (None, {"answers": answers(spo2=None)}, "à corriger"),
        (None, {"answers": {"fg.fr": ["vite"]}}, "à corriger"),
        (None, {"version": "9.9.9"}, "formulaire a changé"),
        (None, {"answers": [1]}, "abîmées"),
        (None, {"patient": "x"}, "abîmées"),
        (None, {"ended_at": "hier"}, "abîmées"),
        (None, {"written": timedelta(hours=13)}, "plus de 12 heures"),
    ],
)
def test_what_cannot_go_says_why_in_a_sentence_and_nothing_is_sent(scene, happened, content, words):
    if happened:
        happened(scene)
    before = Request.objects.exclude(state="brouillon").count()
    given = {**content}
    if "written" in given:
        given["written"] = timezone.now() - given["written"]
    refused = send(seal(scene, **given), scene.nurse)
    assert (refused.status_code, words in refused.json()["error"]) == (409, True), refused.json()
    assert Request.objects.exclude(state="brouillon").count() == before


def test_a_draft_that_a_colleague_sent_meanwhile_says_who_sent_it_and_when(scene):
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    envelope = seal(scene, demand=draft)
    make_request(scene)
    error = send(envelope, scene.nurse).json()["error"]
    assert f"envoyée par {scene.nurse.user.full_name}" in error
    assert Request.objects.count() == 1


def test_another_establishment_a_role_that_was_taken_away_and_a_region_that_only_reads(scene, settings):
    envelope = seal(scene)
    elsewhere = seal(scene, establishment=str(scene.doctor.establishment_id))
    assert (send(elsewhere, scene.nurse).status_code, Request.objects.exists()) == (403, False)
    settings.NURSING_HOMES_WRITE = False
    assert "lisent les dossiers sans y écrire" in send(envelope, scene.nurse).json()["error"]
    settings.NURSING_HOMES_WRITE = True
    Membership.objects.filter(pk=scene.nurse.pk).update(role=Role.SECRETARY)
    assert send(envelope, scene.nurse).status_code == 404


def test_a_tablet_whose_clock_is_wrong_is_put_right(scene):
    """Two days ahead: what it calls the day after tomorrow is an hour ago."""
    ahead, hour = timedelta(days=2), timedelta(hours=1)
    envelope = seal(scene, written=timezone.now() + ahead - hour)
    envelope["device_at"] = (timezone.now() + ahead).isoformat()
    assert send(envelope, scene.nurse).status_code == 200
    assert abs(Request.objects.get().response.ended_at - (timezone.now() - hour)) < timedelta(minutes=1)


CLOCKS = ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00")


@pytest.mark.parametrize("clock", CLOCKS)
def test_whatever_clock_and_offset_a_tablet_says_the_lists_that_show_its_request_still_open(scene, clock):
    draft = asking.start(actor=scene.nurse_actor, patient=scene.resident)
    for times in ({"started_at": clock, "ended_at": clock}, {}):
        said = send({**seal(scene, demand=draft, **times), "device_at": clock}, scene.nurse).status_code
        assert said in (200, 409)
    assert Request.objects.filter(state="soumise").exists(), (
        "one whose own times are right arrives whatever the clock says"
    )
    pages = (
        (scene.doctor, f"/liaison/{draft.pk}/"),
        (scene.doctor, "/liaison/astreinte/"),
        (scene.nurse, "/liaison/residents/"),
    )
    assert [client_of(member).get(url).status_code for member, url in pages] == [200] * 3


@pytest.mark.parametrize("url", [SHELL, WORKER])
def test_what_is_kept_in_clear_is_the_same_for_everybody_and_names_nobody(scene, url):
    texts = [
        re.sub(r'name="(?:request_key|started_at)" value="[^"]*"|name="relais-now" content="[^"]*"', "", page)
        for page in (client_of(scene.nurse).get(url).content.decode(), Client().get(url).content.decode())
    ]
    assert texts[0] == texts[1]
    for secret in (scene.nurse.user.family_name, scene.resident.family_name, "csrfmiddlewaretoken"):
        assert secret not in texts[0]


def card_of(scene):
    page = client_of(scene.nurse).get("/liaison/residents/").content.decode()
    found = re.search(r'data-card="([^"]*)"', page)
    return json.loads(found[1].replace("&quot;", '"').replace("&#x27;", "'").replace("&amp;", "&"))


def test_a_tablet_knows_every_resident_and_not_only_those_of_the_page(scene, monkeypatch):
    monkeypatch.setattr(lists, "RESIDENTS", 1)
    last = make_patient("Zola", "Zélie", seen_by=scene.home)
    card = card_of(scene)
    assert [one["id"] for one in card["residents"]] == [str(scene.resident.pk), str(last.pk)]
    assert card["cut"] is False
    traced = Entry.objects.filter(action="patient.list").latest("pk")
    assert set(traced.ids) == {scene.resident.pk, last.pk}, "who was given their names is known"
    monkeypatch.setattr(shelf, "KNOWN", 2)
    assert card_of(scene)["cut"] is True


def test_the_card_of_a_tablet_names_residents_and_the_lines_to_call_and_nothing_of_their_health(scene):
    make_request(scene, make_patient("Petit", "Lucien", seen_by=scene.home))
    card = card_of(scene)
    assert (card["user"], card["establishment"]) == (str(scene.nurse.user_id), str(scene.home.pk))
    assert {"name": scene.service.name, "phone": scene.service.phone} in card["lines"]
    assert {frozenset(one) for one in card["residents"]} == {frozenset({"id", "name", "born"})}
    assert len(card["residents"]) == 2
    assert "data-card" not in client_of(scene.doctor).get("/liaison/residents/").content.decode()
