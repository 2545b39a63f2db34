"""The directory of services: found by need and place, described by their own managers (TE-02)."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.core.times import near
from relais.directory import actions
from relais.directory.models import Department, Need, Service, Way
from relais.directory.queries import find_services
from relais.directory.testing import make_service

pytestmark = pytest.mark.django_db
URL = "/annuaire/"
EVERYWHERE = list(Department.values)
WEEK = list(range(5))  # Monday to Friday
SAID = {
    "name": "Astreinte Sud", "need": "geriatric", "specialty": "", "departments": ["94"], "days": list(range(7)),
    "opens": "08:00", "closes": "19:00", "phone": "0199001234", "ways": ["phone", "video"], "note": "",
}  # fmt: skip


@pytest.fixture
def place():
    return make_establishment("Hôpital du Saule", department="94", city="Créteil")


@pytest.fixture
def manager(place):
    return make_member(place, Role.MANAGER)


def names(response):
    return [one.name for one in response.context["page_of_rows"].rows]


@pytest.mark.req("TE-02")
@pytest.mark.parametrize("typed", ["geriatrique sud", "SAULE", "créteil", "cardio"])
def test_a_service_is_found_by_its_name_its_specialty_its_establishment_or_its_town(place, typed):
    make_service(place, name="Gériatrique Sud", specialty="Cardiologie")
    seen = client_of(make_practitioner(place))
    assert names(seen.get(URL, {"q": typed})) == ["Gériatrique Sud"]
    assert names(seen.get(URL, {"q": "introuvable"})) == []


@pytest.mark.req("TE-02")
def test_the_directory_shows_one_s_own_department_unless_another_is_asked_for(place):
    make_service(place, name="Ici")
    make_service(place, name="Ailleurs", departments=["75"])
    make_service(place, name="Partout", departments=EVERYWHERE)
    seen = client_of(make_practitioner(place))
    assert set(names(seen.get(URL))) == {"Ici", "Partout"}
    assert set(names(seen.get(URL, {"departement": "75"}))) == {"Ailleurs", "Partout"}
    assert len(names(seen.get(URL, {"departement": ""}))) == 3


@pytest.mark.req("TE-02")
def test_the_directory_is_searched_by_need_by_place_and_by_who_answers_now(place):
    for need in Need:
        make_service(place, name=need.label, need=need, opens=time(0), closes=time(0))
    make_service(place, name="Autre département", need=Need.MOBILE, departments=["75"])
    make_service(place, name="Jamais à cette heure", need=Need.MOBILE, opens=time(0), closes=time(0), active=False)
    seen = client_of(make_practitioner(place))
    page = seen.get(URL).content.decode()
    for need in Need:
        assert f'<option value="{need.value}">{need.label}</option>' in page
        assert names(seen.get(URL, {"besoin": need.value, "ouvert": "1"})) == [need.label]
    asked = {"besoin": "mobile", "departement": "75"}
    assert names(seen.get(URL, asked)) == ["Autre département"]


@pytest.mark.parametrize(
    ("opens", "closes", "at", "answers"),
    [
        (8, 19, 8, True), (8, 19, 12, True), (8, 19, 19, False), (8, 19, 3, False),
        (19, 8, 19, True), (19, 8, 3, True), (19, 8, 8, False), (0, 0, 3, True),
    ],
)  # fmt: skip
def test_a_service_answers_within_its_hours_over_midnight_too(place, opens, closes, at, answers):
    make_service(place, opens=time(opens), closes=time(closes))
    moment = datetime(2026, 11, 20, at, tzinfo=UTC).replace(hour=(at - 1) % 24)  # Paris is an hour ahead
    assert Service.objects.open_at(moment).exists() is answers


def test_hours_are_those_of_paris_in_summer_too(place):
    make_service(place)
    assert Service.objects.open_at(datetime(2026, 7, 1, 6, 0, tzinfo=UTC)).exists()
    assert not Service.objects.open_at(datetime(2026, 12, 1, 6, 0, tzinfo=UTC)).exists()


@pytest.mark.req("TE-02")
@pytest.mark.parametrize(
    ("days", "hours", "at", "answers"),
    [
        (WEEK, (8, 19), "2026-11-20 12:00", True),  # a Friday
        (WEEK, (8, 19), "2026-11-21 12:00", False),
        (WEEK, (19, 8), "2026-11-20 23:00", True),
        (WEEK, (19, 8), "2026-11-21 03:00", True),  # the night of Friday
        (WEEK, (19, 8), "2026-11-21 20:00", False),
        (WEEK, (19, 8), "2026-11-23 03:00", False),  # the night of Sunday
        (WEEK, (0, 0), "2026-11-20 23:59", True),
        (WEEK, (8, 8), "2026-11-21 03:00", False),  # day and night ends with its last day
        ([6], (19, 8), "2026-11-23 03:00", True),  # over the end of the week
        ([5], (19, 8), "2026-03-29 03:30", True),  # an hour less
        ([5], (19, 8), "2026-10-25 02:30", True),  # an hour more
        ([6], (1, 5), "2026-10-25 02:30", True),
        ([5], (1, 5), "2026-03-29 03:30", False),
    ],
)
def test_a_service_answers_on_its_days_and_a_night_is_that_of_the_day_on_which_it_began(
    place, days, hours, at, answers
):
    make_service(place, days=days, opens=time(hours[0]), closes=time(hours[1]))
    moments = [datetime.fromisoformat(at).replace(tzinfo=PARIS, fold=fold) for fold in (0, 1)]
    assert [Service.objects.open_at(moment).exists() for moment in moments] == [answers, answers]


@pytest.mark.parametrize(
    ("days", "opens", "at", "opening"),
    [
        (WEEK, 8, "2026-11-20 20:00", "2026-11-23 08:00"),
        (WEEK, 8, "2026-11-23 07:00", "2026-11-23 08:00"),
        ([4], 8, "2026-11-20 20:00", "2026-11-27 08:00"),
        ([6], 8, "2026-03-28 20:00", "2026-03-29 08:00"),
        ([6], 8, "2026-10-24 20:00", "2026-10-25 08:00"),
        ([6], 0, "2026-11-20 20:00", "2026-11-22 00:00"),
    ],
)
def test_when_a_closed_service_opens_next_is_an_hour_of_paris(place, days, opens, at, opening):
    closes = 19 if opens else 0
    service = make_service(place, days=days, opens=time(opens), closes=time(closes))
    said = service.opens_after(datetime.fromisoformat(at).replace(tzinfo=PARIS))
    assert f"{said.astimezone(PARIS):%Y-%m-%d %H:%M}" == opening


@pytest.mark.req("TE-02")
def test_the_directory_says_on_which_days_a_service_answers_and_when_a_closed_one_does_again(place):
    today = timezone.localdate()
    opening = datetime.combine(today + timedelta(days=2), time(0), tzinfo=PARIS)
    kept = make_service(place, opens=time(0), closes=time(0), days=[opening.weekday()])
    make_service(place, name="Toujours", opens=time(0), closes=time(0))
    seen = client_of(make_practitioner(place))
    named = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")[opening.weekday()]
    for url in (URL, reverse("directory:service", args=[kept.pk])):
        page = seen.get(url).content.decode()
        assert f"{named}, jour et nuit" in page, url
        assert "Fermé" in page, url
        assert f">{near(opening)}<" in page, url
    assert names(seen.get(URL, {"ouvert": "1"})) == ["Toujours"]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (range(7), "tous les jours"), (WEEK, "du lundi au vendredi"), ([5, 6], "samedi et dimanche"),
        ([0, 2, 4], "lundi, mercredi et vendredi"), ([0, 5, 6], "lundi, samedi et dimanche"), ([3], "jeudi"),
    ],
)  # fmt: skip
def test_days_are_said_as_people_say_them(days, words):
    assert Service(days=list(days)).days_words == words


@pytest.mark.req("TE-02")
def test_those_that_answer_now_stand_first_the_nearest_before_the_regional_ones(place):
    noon = datetime(2026, 11, 20, 11, tzinfo=UTC)
    make_service(place, name="B proche")
    make_service(place, name="A proche")
    make_service(place, name="Région", departments=EVERYWHERE, opens=time(0), closes=time(0))
    make_service(place, name="Nuit", opens=time(19), closes=time(8))
    actor = actor_for(make_practitioner(place))
    found = find_services(actor, department="94", now=noon).order_by("rank", "pk")
    assert [(one.name, one.open) for one in found] == [
        ("A proche", True), ("B proche", True), ("Région", True), ("Nuit", False),
    ]  # fmt: skip
    assert not find_services(actor, now=noon, only_open=True).filter(name="Nuit").exists()


def test_the_pages_of_the_list_show_each_service_once(place):
    for number in range(23):
        make_service(place, name=f"Service ~ {number:02}", opens=time(0), closes=time(0))
    seen = client_of(make_practitioner(place))
    first = seen.get(URL)
    second = seen.get(URL + first.context["page_of_rows"].next_url)
    assert names(first) + names(second) == [f"Service ~ {number:02}" for number in range(23)]


def test_as_many_queries_for_three_services_as_for_one(place):
    seen, counts = client_of(make_practitioner(place)), []
    for _more in range(3):
        make_service(place)
        with CaptureQueriesContext(connection) as caught:
            seen.get(URL)
        counts.append(len(caught))
    assert counts[0] == counts[2]


@pytest.mark.req("TE-02")
def test_a_manager_describes_a_service_and_the_others_find_it(place, manager):
    mine = client_of(manager)
    answer = mine.post(reverse("directory:add_service"), SAID)
    kept = Service.objects.get()
    assert answer["Location"] == reverse("directory:service", args=[kept.pk])
    assert (kept.establishment, kept.phone, kept.ways) == (place, "01 99 00 12 34", [Way.PHONE, Way.VIDEO])
    assert Entry.objects.filter(action="directory.service", about=kept.pk, user_id=manager.user_id).exists()
    other = client_of(make_practitioner(make_establishment("Ailleurs", department="94")))
    page = other.get(answer["Location"]).content.decode()
    for words in ("Astreinte Sud", "tel:0199001234", "de 08:00 à 19:00", "Appel direct, Visio"):
        assert words in page, words


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"phone": "12"}, None),
        ({"phone": "12345"}, "Ce numéro ne se compose pas"),
        ({"phone": "bonjour"}, "Ce numéro ne se compose pas"),
        ({"departments": []}, "obligatoire"),
        ({"ways": ["pigeon"]}, "pigeon"),
        ({"need": "expert"}, "Indiquez la spécialité"),
        ({"opens": "25:00"}, "heure"),
        ({"days": []}, "obligatoire"),
        ({"days": ["7"]}, "7"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(manager, wrong, sentence):
    answer = client_of(manager).post(reverse("directory:add_service"), {**SAID, **wrong})
    if sentence is None:
        assert answer.status_code == 302
        return
    page = answer.content.decode()
    assert (answer.status_code, Service.objects.count()) == (422, 0)
    assert sentence in page
    assert "Astreinte Sud" in page


def test_a_name_is_used_once_in_an_establishment_until_its_service_is_closed(place, manager):
    mine = client_of(manager)
    mine.post(reverse("directory:add_service"), SAID)
    again = mine.post(reverse("directory:add_service"), SAID)
    assert "a déjà un service de ce nom" in again.content.decode()
    first = Service.objects.get()
    mine.post(reverse("directory:close_service", args=[first.pk]))
    assert mine.post(reverse("directory:add_service"), SAID).status_code == 302
    page = mine.post(reverse("directory:open_service", args=[first.pk]), follow=True).content.decode()
    assert "a déjà un service de ce nom" in page
    make_service(make_establishment("Autre"), name="Astreinte Sud")
    with pytest.raises(IntegrityError):
        make_service(place, name="Astreinte Sud")


def test_a_closed_service_is_its_manager_s_alone_and_answers_at_no_hour(place, manager):
    kept = make_service(place, name="Astreinte", opens=time(0), closes=time(0))
    mine, other = client_of(manager), client_of(make_practitioner(place))
    page = reverse("directory:service", args=[kept.pk])
    assert other.get(page).status_code == 200
    mine.post(reverse("directory:close_service", args=[kept.pk]))
    assert other.get(page).status_code == 404
    assert names(other.get(URL)) == []
    assert "Retiré de l’annuaire" in mine.get(page).content.decode()
    make_service(place, name="Zoé", opens=time(0), closes=time(0))
    assert names(mine.get(URL)) == ["Zoé", kept.name]
    assert names(mine.get(URL, {"ouvert": "1"})) == ["Zoé"]
    mine.post(reverse("directory:open_service", args=[kept.pk]))
    assert other.get(page).status_code == 200


@pytest.mark.parametrize("name", ["change_service", "close_service", "open_service"])
def test_only_the_managers_of_its_establishment_change_a_service(place, name):
    kept = make_service(place)
    address = reverse(f"directory:{name}", args=[kept.pk])
    stranger = make_member(make_establishment("Ailleurs"), Role.MANAGER)
    for who in (make_practitioner(place), make_member(place, Role.SECRETARY), stranger):
        assert client_of(who).post(address, SAID).status_code in (403, 404)
    kept.refresh_from_db()
    assert (kept.active, kept.need) == (True, Need.GERIATRIC)
    with pytest.raises(NotFound):
        actions.close_service(actor=actor_for(stranger), service=kept)


def test_a_service_is_changed_in_place(place, manager):
    kept = make_service(place, name="Avant")
    mine = client_of(manager)
    assert "Avant" in mine.get(reverse("directory:change_service", args=[kept.pk])).content.decode()
    said = {**SAID, "opens": "19:00", "closes": "08:00", "days": [4, 0, 1, 2, 3, 3]}
    mine.post(reverse("directory:change_service", args=[kept.pk]), said)
    kept.refresh_from_db()
    assert (kept.name, kept.opens, kept.phone, kept.days) == ("Astreinte Sud", time(19), "01 99 00 12 34", WEEK)
    page = mine.get(reverse("directory:service", args=[kept.pk])).content.decode()
    assert "du lundi au vendredi de 19:00 à 08:00" in page
    form = mine.get(reverse("directory:change_service", args=[kept.pk])).content.decode()
    assert sum('name="days"' in one and " checked" in one for one in form.split("<input")) == len(WEEK)
    make_service(place, name="Prise")
    refused = mine.post(reverse("directory:change_service", args=[kept.pk]), {**SAID, "name": "Prise"})
    assert refused.status_code == 422


def test_the_action_refuses_a_name_that_is_taken(place, manager):
    make_service(place, name="Prise")
    said = actions.Described(
        name="Prise", need=Need.GERIATRIC, specialty="", departments=["94"], days=WEEK, opens=time(8), closes=time(19),
        phone="15", ways=[Way.PHONE], note="",
    )  # fmt: skip
    with pytest.raises(Refused, match="a déjà un service de ce nom"):
        actions.describe_service(actor=actor_for(manager), said=said)


def test_a_wrong_filter_is_no_filter(place):
    make_service(place)
    asked = {"besoin": "?", "departement": "00", "ouvert": "x", "apres": "n’importe quoi"}
    answer = client_of(make_practitioner(place)).get(URL, asked)
    assert len(names(answer)) == 1
