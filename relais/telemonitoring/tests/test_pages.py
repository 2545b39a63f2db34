"""The professional's pages: the cell's list, a follow-up, its verbs (EC-02, EC-05, EC-06, EC-08, EC-13)."""

import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.patients.testing import make_patient
from relais.telemonitoring.actions import alerts, states
from relais.telemonitoring.models import Alert, FollowUp
from relais.telemonitoring.testing import WELL, join, make_cell, make_follow_up, reply
from relais.telemonitoring.views import cells

pytestmark = pytest.mark.django_db
LIST = "/suivi/"


@pytest.fixture
def scene():
    return make_follow_up()


def url(scene, end=""):
    return f"/suivi/{scene.follow_up.pk}/{end}"


def red(scene):
    reply(scene, dyspnee="4", dyspnee__evol="critique")


def names(response):
    return [row.patient.family_name for row in response.context["rows"]]


@pytest.mark.req("EC-05", "EC-06")
def test_the_list_says_level_reason_measures_day_and_who_answered(scene):
    reply(scene, temp=37.2, at=timezone.now() - timedelta(hours=12))
    reply(scene, dyspnee="4", dyspnee__evol="critique", temp=38.6)
    page = client_of(scene.member).get(LIST).content.decode()
    for words in (
        "Rouge",
        "Essoufflement en parlant ou au repos",
        "38,6",
        "en hausse",
        "J3",
        "Le patient",
        "Non prise",
    ):
        assert words in page, words
    assert "Prendre en charge" in page
    assert f'data-waiting="{Alert.objects.get().pk}"' in page


@pytest.mark.req("EC-06")
def test_the_most_urgent_stands_first_and_within_a_level_who_waits_longest():
    cell, member = make_cell()

    def follow(name, level="", state="new", minutes=0, **fields):
        scene = make_follow_up(cell=cell, member=member, patient=make_patient(name))
        FollowUp.objects.filter(pk=scene.follow_up.pk).update(
            last_answer_at=timezone.now() - timedelta(minutes=minutes)
        )
        if level:
            moment = timezone.now() - timedelta(minutes=minutes)
            holder = {} if state == "new" else {"taken_by": member.user}
            Alert.objects.create(
                follow_up=scene.follow_up, level=level, state=state, since=moment, opened_at=moment, **holder, **fields
            )

    follow("Vert", minutes=5)
    follow("Ancienvert", minutes=900)
    follow("Gris", "gris")
    follow("Orange", "orange", minutes=90)
    follow("Prioritaire", "orange", priority=True)
    follow("Rougepris", "rouge", state="taken", minutes=30)
    follow("Rougerecent", "rouge", minutes=1)
    follow("Rougeancien", "rouge-psy", minutes=4)
    browser = client_of(member)
    assert names(browser.get(LIST)) == [
        "Rougeancien", "Rougerecent", "Rougepris", "Prioritaire", "Orange", "Gris", "Ancienvert", "Vert",
    ]  # fmt: skip
    for query, found in (
        ("niveau=rouge", {"Rougeancien", "Rougerecent", "Rougepris"}),
        ("voir=miennes", {"Rougepris"}),
        ("voir=libres", {"Rougeancien", "Rougerecent", "Prioritaire", "Orange", "Gris"}),
        ("voir=j6", set()),
        ("qui=contact", set()),
        (
            "niveau=nimporte",
            {"Vert", "Ancienvert", "Gris", "Orange", "Prioritaire", "Rougepris", "Rougerecent", "Rougeancien"},
        ),
    ):
        assert set(names(browser.get(f"{LIST}?{query}"))) == found, query


def test_a_name_is_searched_without_standing_in_the_address(scene):
    make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient("Étienne-Lévy"))
    browser = client_of(scene.member)
    answer = browser.post(LIST, {"q": "levy", "cellule": str(scene.cell.pk)})
    assert "levy" not in answer["Location"]
    assert names(browser.get(answer["Location"])) == ["Étienne-Lévy"]
    assert len(names(browser.get(f"{LIST}?tout=1"))) == 2


@pytest.mark.req("EC-13")
def test_who_sees_a_cell_and_who_does_not(scene):
    place = scene.cell.establishment
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert stranger.get(LIST).status_code == 200
    assert stranger.get(LIST).context["cell"] is None
    assert stranger.get(f"{LIST}?cellule={scene.cell.pk}").status_code == 404
    assert stranger.get(url(scene)).status_code == 404
    for role in (Role.SECRETARY, Role.MANAGER):
        browser = client_of(make_member(place, role))
        assert browser.get(LIST).status_code == 404, role
        assert browser.get(url(scene)).status_code == 404, role
    _cell, other = make_cell()
    assert client_of(other).get(url(scene)).status_code == 404
    assert client_of(make_member(place, Role.CAREGIVER)).get(url(scene)).status_code == 200
    elsewhere = make_practitioner(make_establishment("Partenaire"))
    join(scene.cell, elsewhere)
    assert client_of(elsewhere).get(url(scene)).status_code == 200
    assert len(names(client_of(elsewhere).get(LIST))) == 1


def test_reading_leaves_a_trace_and_the_list_one_with_its_ids(scene):
    browser = client_of(scene.member)
    browser.get(LIST)
    browser.get(LIST)
    assert list(Entry.objects.filter(action="telemonitoring.list").values_list("ids", flat=True)) == [
        [scene.follow_up.pk]
    ]
    browser.get(url(scene))
    assert Entry.objects.filter(action="dossier.read", about=scene.follow_up.pk).count() == 1


@pytest.mark.req("EC-06")
def test_an_alert_is_taken_called_noted_and_ended(scene):
    red(scene)
    browser = client_of(scene.member)
    alert = Alert.objects.get()
    assert browser.post(url(scene, "alerte/take/")).status_code == 302
    answer = browser.post(url(scene, "alerte/call/"))
    assert answer["Location"] == url(scene, "appel/")
    page = browser.get(answer["Location"])
    assert "06 39 98" in page.content.decode()
    assert "ecovid-appel" in page.content.decode()
    shown = page.context["fill"].shown
    posted = {"request_key": str(page.context["fill"].request_key), "shown": shown}
    refused = browser.post(url(scene, "appel/"), posted)
    assert refused.status_code == 422
    noted = browser.post(
        url(scene, "appel/"), {**posted, "q-ap.appele": "patient", "q-ap.issue": "non-joint", "q-ap.heure": "10:30"}
    )
    assert noted.status_code == 302, noted.context["fill"].errors
    alert.refresh_from_db()
    assert (alert.state, alert.attempts) == ("unreached", 1)
    assert alert.calls.get().response.answers["ap.issue"] == ["non-joint"]
    assert "Ne répond pas" in browser.get(url(scene)).content.decode()


@pytest.mark.req("EC-06")
def test_of_two_who_take_one_alert_the_second_reads_who_has_it(scene):
    colleague = make_practitioner(scene.cell.establishment)
    join(scene.cell, colleague)
    red(scene)
    client_of(scene.member).post(url(scene, "alerte/take/"))
    refused = client_of(colleague).post(url(scene, "alerte/take/"))
    assert refused.status_code == 409
    assert f"{scene.member.user.full_name} s’occupe déjà de ce patient." in refused.content.decode()


@pytest.mark.req("EC-05")
def test_members_share_the_lines_of_their_cell_and_each_has_the_buttons_of_their_own_alerts(scene, monkeypatch):
    """Two members ask one question; a reader from outside the cell and *Mes alertes* each ask their own."""
    colleague, outside = make_practitioner(scene.cell.establishment), make_practitioner(scene.cell.establishment)
    join(scene.cell, colleague)
    red(scene)
    client_of(scene.member).post(url(scene, "alerte/take/"))
    asked = []
    real = cells.shared.ask
    monkeypatch.setattr(cells.shared, "ask", lambda question, read: asked.append(question) or real(question, read))
    call = url(scene, "alerte/call/")
    for who, own in ((scene.member, True), (colleague, False), (outside, False)):
        page = client_of(who).get(LIST).content.decode()
        assert (call in page) == own
        assert "<!--only" not in page
    for who in (scene.member, colleague):
        client_of(who).get(LIST, {"voir": "miennes"})
    mine, other, reader, *filtered = asked
    assert mine == other
    assert len({mine, reader, *filtered}) == 4


def test_only_members_of_the_cell_use_its_verbs(scene):
    """Somebody of the establishment who is not in the cell reads, and presses no button."""
    red(scene)
    browser = client_of(make_practitioner(scene.cell.establishment))
    page = browser.get(url(scene)).content.decode()
    assert "Prendre en charge" not in page
    for end in ("alerte/take/", "alerte/finish/", "pause/", "extend/", "close/", "inconnu/", "alerte/inconnu/"):
        assert browser.post(url(scene, end), {"why": "guerison"}).status_code in (404,), end
    assert Alert.objects.get().state == "new"


@pytest.mark.req("EC-07")
def test_hospital_pauses_home_resumes_and_a_reason_closes(scene):
    browser = client_of(scene.member)
    browser.post(url(scene, "pause/"))
    assert "Patient hospitalisé" in browser.get(url(scene)).content.decode()
    browser.post(url(scene, "resume/"))
    assert FollowUp.objects.get().state == "active"
    assert browser.post(url(scene, "close/")).status_code == 409
    browser.post(url(scene, "close/"), {"why": "guerison"})
    page = browser.get(url(scene)).content.decode()
    assert "Guérison" in page
    assert "Clôturer le suivi" not in page
    assert names(browser.get(LIST)) == []


@pytest.mark.req("EC-07")
@pytest.mark.parametrize(
    ("role", "level", "state", "after"),
    [
        (Role.CAREGIVER, "orange", "new", "closed"),
        (Role.PRACTITIONER, "rouge", "taken", "closed"),
        (Role.CAREGIVER, "rouge", "taken", "taken"),  # a practitioner ends a red one
        (Role.PRACTITIONER, "orange", "calling", "calling"),  # whoever calls notes it
    ],
)
def test_the_alert_of_a_patient_who_is_in_hospital_is_over(scene, role, level, state, after):
    who = make_member(scene.cell.establishment, role)
    join(scene.cell, who)
    holder = None if state == "new" else scene.member.user
    now = timezone.now()
    Alert.objects.create(follow_up=scene.follow_up, level=level, state=state, since=now, opened_at=now, taken_by=holder)
    page = client_of(who).post(url(scene, "pause/"), follow=True).content.decode()
    assert (FollowUp.objects.get().state, Alert.objects.get().state) == ("paused", after)
    assert ("L’alerte reste ouverte" in page) == (after != "closed")


def test_a_follow_up_is_prolonged_until_there_is_no_day_left(scene):
    browser = client_of(scene.member)
    for _time in range(4):
        browser.post(url(scene, "extend/"))
    assert "Prolonger" not in browser.get(url(scene)).content.decode()
    assert browser.post(url(scene, "extend/")).status_code == 409


@pytest.mark.req("EC-10")
def test_a_member_answers_in_the_place_of_the_patient_and_it_is_marked(scene):
    browser = client_of(scene.member)
    fill = browser.get(url(scene, "repondre/")).context["fill"]
    posted = {"request_key": str(fill.request_key), "relation": "professionnel-cellule", "reason": "appel-telephonique"}
    assert browser.post(url(scene, "repondre/"), {**posted, "shown": fill.shown}).status_code == 422
    words = {True: "true", False: "false"}
    answers = {f"q-{name}": words.get(value[0], value[0]) for name, value in WELL.items()}
    photo = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(photo, "PNG")
    photo.seek(0)
    photo.name = "main.png"
    done = browser.post(url(scene, "repondre/"), {**posted, **answers, "q-ad.photo": photo})
    assert done.status_code == 302, done.context["fill"].errors
    response = scene.follow_up.judgements.get().response
    assert (response.relation, response.reason) == ("professionnel-cellule", "appel-telephonique")
    page = browser.get(url(scene)).content.decode()
    assert "Un professionnel de la cellule (réponses recueillies par téléphone)" in page
    whole = browser.get(url(scene, f"reponses/{response.pk}/")).content.decode()
    assert "36,8" in whole
    seen = f"reponses/{response.pk}/{response.answers['ad.photo'][0]}/"
    assert seen in whole
    assert browser.get(url(scene, seen))["Content-Type"].startswith("image/")
    assert browser.get(url(scene, f"reponses/{response.pk}/{response.pk}/")).status_code == 404
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert stranger.get(url(scene, f"reponses/{response.pk}/")).status_code == 404
    assert stranger.get(url(scene, seen)).status_code == 404
    assert client_of(make_practitioner(scene.cell.establishment)).get(url(scene, "repondre/")).status_code == 404


@pytest.mark.parametrize("address", ["list", "follow_up"])
def test_three_rows_cost_as_many_queries_as_one(scene, address):
    browser = client_of(scene.member)

    def fill(number):
        other = make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient(f"Patient{number}"))
        for one in (other, scene):
            reply(one, temp=37.0, at=timezone.now() - timedelta(hours=12))
            red(one)
        alerts.take(actor=actor_for(scene.member), alert=Alert.objects.get(follow_up=other.follow_up))

    def count():
        with CaptureQueriesContext(connection) as found:
            assert browser.get(LIST if address == "list" else url(scene)).status_code == 200
        return len(found), [each["sql"][:140] for each in found]

    fill(0)
    count()
    one, _sql = count()
    fill(1)
    fill(2)
    count()
    more, sql = count()
    assert one == more, sql
    assert more <= (13 if address == "list" else 40), "\n".join(sql)


def test_a_paused_patient_stands_last_and_awaits_nothing(scene):
    states.pause(actor=actor_for(scene.member), follow_up=scene.follow_up)
    make_follow_up(cell=scene.cell, member=scene.member, patient=make_patient("Autre"))
    rows = client_of(scene.member).get(LIST).context["rows"]
    assert [row.follow_up.state for row in rows] == ["active", "paused"]
    assert (rows[1].missing, rows[1].next) == (None, None)


def test_the_pages_of_the_list_go_from_alerts_to_the_others_and_show_each_patient_once(monkeypatch):
    monkeypatch.setattr(cells, "SIZE", 3)
    cell, member = make_cell()
    wanted = []
    for number in range(8):
        scene = make_follow_up(cell=cell, member=member, patient=make_patient(f"P{number}"))
        moment = timezone.now() - timedelta(minutes=90 - number)
        FollowUp.objects.filter(pk=scene.follow_up.pk).update(last_answer_at=moment)
        if number < 4:
            Alert.objects.create(follow_up=scene.follow_up, level="orange", since=moment, opened_at=moment)
        wanted.append(f"P{number}")
    browser, seen, address = client_of(member), [], LIST
    while address:
        page = browser.get(address)
        seen.append(names(page))
        following = page.context["page_of_rows"].next_url
        address = following and LIST + following
    assert seen == [wanted[:3], wanted[3:6], wanted[6:]]
