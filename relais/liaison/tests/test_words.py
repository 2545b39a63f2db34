"""What lists and pages say of a request: what is promised, who is called, in words that are true at that moment (FG-08)."""

from datetime import timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.utils import timezone

from relais.accounts.testing import client_of, make_practitioner
from relais.directory.models import Need
from relais.liaison.actions import deciding, notes, owning
from relais.liaison.models import HandOver, Request
from relais.liaison.queries.people import lines_now
from relais.liaison.queries.sbar import sbar
from relais.liaison.testing import make_home, make_request, relieved, taken
from relais.oncall.testing import make_service
from relais.patients.testing import make_patient

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOME, ON_CALL = "/liaison/residents/", "/liaison/astreinte/"


def text_of(member, url):
    """What a page says, without what only screen readers get."""
    page = BeautifulSoup(client_of(member).get(url).content, "html.parser")
    for silent in page.select(".visually-hidden"):
        silent.extract()
    return " ".join(page.main.get_text(" ").split()).replace(" ,", ",")


def buttons(member, url):
    """What one may press on a page."""
    page = BeautifulSoup(client_of(member).get(url).content, "html.parser")
    return {" ".join(one.get_text(" ").split()) for one in page.main.select(".btn")}


def everywhere(scene, demand):
    """(who reads, page) on which a request is said."""
    own = f"/liaison/{demand.pk}/"
    return [(scene.nurse, HOME), (scene.nurse, own), (scene.doctor, ON_CALL), (scene.doctor, own)]


@pytest.mark.req("FG-08")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"asked_at": 0}, "À prendre dans"),
        ({"asked_at": -34}, "En retard : à prendre depuis"),
        ({"state": "prise-en-charge"}, "Avis attendu dans"),
        ({"state": "prise-en-charge", "submitted_at": -250}, "En retard : avis attendu depuis"),
        ({"state": "a-reevaluer", "advised_at": 0, "review_at": 50}, "À réévaluer dans"),
        ({"state": "a-reevaluer", "advised_at": -300, "review_at": -20}, "À réévaluer maintenant (prévu"),
    ],
)
def test_a_clock_says_what_it_counts_and_that_it_is_late(changes, words):
    scene, now = make_home(), timezone.now()
    demand = make_request(scene)
    moments = {name: now + value * MINUTE if isinstance(value, int) else value for name, value in changes.items()}
    Request.objects.filter(pk=demand.pk).update(**moments)
    for member, url in everywhere(scene, demand):
        assert words in text_of(member, url), (member.user, url)


@pytest.mark.req("FG-08")
def test_the_number_of_the_service_that_is_asked_never_stands_beside_the_doctor_who_passed_it_on():
    scene = make_home()
    demand = taken(scene)
    doctor, line = scene.doctor.user.full_name, demand.line
    assert f"{doctor}, {line}" in text_of(scene.nurse, HOME)
    assert f"{line} {scene.service.name}" in text_of(scene.nurse, f"/liaison/{demand.pk}/")
    owning.redirect(actor=scene.nurse_actor, demand=demand)
    asked = f"{doctor} Demandée à {scene.samu.name}"
    assert f"{asked} : {scene.samu.phone}" in text_of(scene.nurse, HOME)
    assert asked in text_of(scene.doctor, ON_CALL).replace("Vous", doctor)
    for member in (scene.nurse, scene.doctor):
        assert asked in text_of(member, f"/liaison/{demand.pk}/")
    assert f"{scene.samu.phone} {scene.samu.name}" in text_of(scene.nurse, f"/liaison/{demand.pk}/")


@pytest.mark.req("FG-08")
@pytest.mark.parametrize("state", ["avis-rendu", "a-reevaluer"])
def test_the_home_calls_whoever_answers_now_once_the_doctor_of_the_request_is_off_duty(state):
    """At night « Appeler » does not ring the private telephone of the doctor of the day."""
    scene, now = make_home(), timezone.now()
    demand = taken(scene)
    Request.objects.filter(pk=demand.pk).update(state=state, advised_at=now, review_at=now + HOUR)
    page, owner = f"/liaison/{demand.pk}/", scene.doctor.user.full_name
    assert f"{owner}, {demand.line}" in text_of(scene.nurse, HOME)
    assert f"{demand.line} {scene.service.name}" in text_of(scene.nurse, page)
    relieved(scene, now - MINUTE)
    instead = f"{scene.colleague.user.full_name}, {scene.service.name}"
    assert f"{owner} Répond maintenant : {instead}, 06 39 98 00 77" in text_of(scene.nurse, HOME)
    assert f"06 39 98 00 77 Répond maintenant : {instead}" in text_of(scene.nurse, page)
    for url in (HOME, page):
        assert demand.line not in text_of(scene.nurse, url)


@pytest.mark.req("FG-08")
def test_of_an_on_call_where_nobody_is_on_duty_the_home_calls_its_route_and_of_another_service_its_line():
    scene = make_home()
    demand = taken(scene)
    for need, called in ((Need.GERIATRIC, "06 39 98 00 01"), (Need.HAD, "01 99 00 88 88")):
        service = make_service(need, name="Le service d’avant", phone="01 99 00 88 88")
        Request.objects.filter(pk=demand.pk).update(
            service=service, responsible=scene.colleague.user, line="06 39 98 00 66"
        )
        for url in (HOME, f"/liaison/{demand.pk}/"):
            said = text_of(scene.nurse, url)
            assert (called in said, "06 39 98 00 66" in said) == (True, False), (need, url)


@pytest.mark.parametrize("count", [1, 3])
def test_whom_the_home_calls_takes_the_same_number_of_queries(count, django_assert_num_queries):
    scene = make_home()
    for _one in range(count):
        demand = owning.take(actor=scene.doctor_actor, demand=make_request(scene, make_patient(seen_by=scene.home)))
        Request.objects.filter(pk=demand.pk).update(service=make_service(Need.GERIATRIC))
    demands = Request.objects.select_related("establishment", "service").order_by("pk")
    with django_assert_num_queries(5):  # the requests, who is on duty, and the route of the home
        assert len(lines_now(demands, timezone.now())) == count


@pytest.mark.req("FG-04")
def test_a_score_of_incomplete_signs_is_a_least_on_the_request_as_on_the_list():
    scene = make_home()
    whole = make_request(scene, spo2=91)
    less = make_request(
        scene, make_patient("Petit", "Lucien", seen_by=scene.home), urgence="vitale", spo2=91, temp=None
    )
    for demand, words in ((whole, "NEWS2 3"), (less, "NEWS2 au moins 3")):
        assert words in text_of(scene.doctor, ON_CALL)
        page = text_of(scene.doctor, f"/liaison/{demand.pk}/")
        assert words in page
        assert "Une constante cotée 3" in page


def test_the_red_banner_alerts_while_one_types_and_not_at_each_redraw_of_the_request():
    scene = make_home()
    nurse = client_of(scene.nurse)
    demand = make_request(scene, spo2=84)
    draft = nurse.post(f"/liaison/residents/{make_patient(seen_by=scene.home).pk}/demander/").url
    for url, role in ((draft, "alert"), (f"/liaison/{demand.pk}/", None)):
        page = BeautifulSoup(nurse.get(url).content, "html.parser")
        assert page.select_one(".red-rule").get("role") == role, url


def refused(answer, error_in):
    """The page that comes back: its summary leads to the field, which is tied to its own sentence."""
    page = BeautifulSoup(answer.content, "html.parser")
    summary, field = page.select_one(".error-summary[data-focus]"), page.select_one(f"#{error_in}")
    assert (answer.status_code, summary.a["href"], field["aria-invalid"]) == (422, f"#{error_in}", "true")
    assert page.select_one(f"#{field['aria-describedby']}").get_text(strip=True) == summary.a.get_text()
    return page


def test_a_note_or_a_document_refused_comes_back_with_what_was_typed_and_leads_to_its_field():
    scene = make_home()
    url = f"/liaison/{taken(scene).pk}/"
    nurse, called = client_of(scene.nurse), str(scene.colleague.user_id)
    page = refused(nurse.post(f"{url}notes/", {"text": " ", "urgent": "on", "mentions": [called]}), "n-text")
    assert {one["name"]: one["value"] for one in page.select('[name="mentions"][checked]')} == {"mentions": called}
    assert page.select_one("#n-urgent").has_attr("checked")
    page = refused(nurse.post(f"{url}documents/", {"title": "Radio"}), "d-file")
    assert page.select_one("#d-title")["value"] == "Radio"


def test_a_mention_of_somebody_who_is_gone_leads_to_the_mentions_and_keeps_the_others():
    scene = make_home()
    demand = taken(scene)
    wanted = [str(scene.colleague.user_id), str(uuid4())]
    answer = client_of(scene.nurse).post(f"/liaison/{demand.pk}/notes/", {"text": "Vu ?", "mentions": wanted})
    page = BeautifulSoup(answer.content, "html.parser")
    assert page.select_one(".error-summary a")["href"] == "#n-mentions"
    assert [one["value"] for one in page.select("details[open] [name=mentions][checked]")] == wanted[:1]
    assert page.select_one("#n-text").get_text(strip=True) == "Vu ?"


def test_a_note_corrected_to_nothing_leads_to_its_field():
    scene = make_home()
    note = notes.write(actor=scene.doctor_actor, demand=taken(scene), text="Passez à 3 L/min.")
    refused(client_of(scene.doctor).post(f"/liaison/notes/{note.pk}/corriger/", {"text": ""}), "a-text")


def test_a_hospital_reads_how_to_answer_and_is_not_told_of_a_tab_that_it_has_not():
    scene = make_home()
    stranger = make_practitioner(scene.service.establishment)
    page = text_of(stranger, HOME)
    assert "demandez au référent du service de vous ajouter à l’équipe" in page
    assert ("À traiter" in page, "Demandez un avis" in page) == (False, False)
    assert "Vous répondez pour une astreinte : ouvrez « À traiter »" in text_of(scene.doctor, HOME)


@pytest.mark.parametrize(("urgency", "words"), [("rapide", "Avis en moins de 4 heures"), ("vitale", "Urgence vitale")])
def test_an_urgency_is_said_in_the_same_words_in_a_list_and_in_a_hand_over(urgency, words):
    scene = make_home()
    demand = taken(scene, urgence=urgency)
    assert words in text_of(scene.doctor, ON_CALL)
    assert f"Fièvre, {words.lower()}." in sbar(demand, timezone.now())["situation"]


def test_an_urgent_note_is_said_urgent_in_words_on_the_sheet_too():
    scene = make_home()
    demand = taken(scene)
    notes.write(actor=scene.doctor_actor, demand=demand, text="Passez à 3 L/min.", urgent=True)
    assert "Urgente Passez à 3 L/min." in text_of(scene.nurse, f"/liaison/residents/{scene.resident.pk}/")


@pytest.mark.req("FG-08")
def test_a_re_evaluation_is_planned_until_its_hour_and_then_has_a_button_of_its_name():
    scene = make_home()
    demand = taken(scene)
    url, later = f"/liaison/{demand.pk}/", timezone.now() + timedelta(days=3)
    assert buttons(scene.doctor, url) >= {"Rendre l’avis"}
    stay = deciding.Advice("maintien-surveillance", "maximal", "Stable.", "oui", review_at=later)
    deciding.decide(actor=scene.doctor_actor, demand=demand, advice=stay)
    for member, page in everywhere(scene, demand):
        assert "Réévaluation prévue" in text_of(member, page)
    Request.objects.update(review_at=timezone.now() - MINUTE)
    for member, page in everywhere(scene, demand):
        assert "Réévaluation prévue" not in text_of(member, page)
    assert buttons(scene.doctor, url) & {"Réévaluer", "Rendre l’avis"} == {"Réévaluer"}
    assert "Réévaluer VASSEUR Odette" in text_of(scene.doctor, f"{url}decision/")


@pytest.mark.req("FG-08")
@pytest.mark.parametrize(
    ("code", "leaves"),
    [("admission-medecine", True), ("urgences-via-samu", True), ("had", False), ("consultation-specialisee", False)],
)
def test_a_home_prepares_a_departure_for_the_hospital_alone(code, leaves):
    """Nobody leaves for a specialist seen by video, or for a hospital team that comes."""
    scene = make_home()
    demand = taken(scene)
    for one in ("had" if leaves else "admission-medecine", code):
        advice = deciding.Advice(one, "maximal", "Nécessaire.", "oui", review_at=timezone.now() + timedelta(hours=2))
        deciding.decide(actor=scene.doctor_actor, demand=demand, advice=advice)
    for url in (HOME, f"/liaison/{demand.pk}/"):
        text = text_of(scene.nurse, url)
        assert ("Préparer le départ du résident" in text, "Organiser la suite décidée (voir l’avis)" in text) == (
            leaves,
            not leaves,
        )


def test_a_waiting_request_that_is_handed_over_has_one_button_for_taking_it():
    scene = make_home()
    demand = make_request(scene)
    url = f"/liaison/{demand.pk}/"
    assert "Prendre en charge" in buttons(scene.colleague, url)
    HandOver.objects.create(
        demand=demand, leaving=scene.doctor.user, taking=scene.colleague.user, due_at=timezone.now(), situation="x"
    )
    assert buttons(scene.colleague, url) & {"Prendre en charge", "Accepter la relève"} == {"Accepter la relève"}
    assert "Prendre en charge" in buttons(scene.doctor, url)


def test_what_a_request_takes_no_more_once_it_is_over_says_what_to_do_instead():
    scene = make_home()
    demand = taken(scene)
    note = notes.write(actor=scene.nurse_actor, demand=demand, text="Elle a mangé.")
    deciding.close(actor=scene.doctor_actor, demand=demand, why="sans-suite")
    nurse, url = client_of(scene.nurse), f"/liaison/{demand.pk}/"
    for path, said in (
        (f"{url}notes/", {"text": "Et bu."}), (f"{url}constantes/", {"q-fg.spo2": "90", "request_key": str(uuid4())}),
        (f"{url}room/", {}), (f"/liaison/notes/{note.pk}/corriger/", {"text": "Non."}),
    ):  # fmt: skip
        page = nurse.post(path, said)
        assert (page.status_code in (409, 422), "appelez le 15" in page.content.decode()) == (True, True), path
