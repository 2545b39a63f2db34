"""How long a session lasts, on which devices, and how it ends."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from relais.accounts.models import Attempts
from relais.accounts.tasks import forget
from relais.accounts.testing import client_of, make_establishment, make_member, make_user, sign_in
from relais.audit.models import Entry

pytestmark = pytest.mark.django_db
PROFILE, CLOCK = "/connexion/profil/", "/connexion/session/"


def rewind(client: Client, **keys: float) -> None:
    """Move times of the session into the past, in seconds."""
    session = client.session
    for key, seconds in keys.items():
        session[key] = timezone.now().timestamp() - seconds
    session.save()


def inside(client: Client) -> bool:
    return client.get(PROFILE, headers={"x-background": "1"}).status_code == 200


def test_a_session_ends_after_the_idle_time_with_a_sentence_and_leads_back() -> None:
    client = client_of(make_member())
    rewind(client, active_at=settings.SESSION_IDLE_SECONDS - 5)
    assert inside(client)
    rewind(client, active_at=settings.SESSION_IDLE_SECONDS + 5)
    answer = client.get(f"{PROFILE}?a=1&b=2", follow=True)
    assert answer.redirect_chain == [("/connexion/?next=%2Fconnexion%2Fprofil%2F%3Fa%3D1%26b%3D2", 302)]
    assert "Votre session a pris fin" in answer.text
    assert "_auth_user_id" not in client.session


def test_a_form_sent_too_late_leads_back_to_its_page() -> None:
    client = client_of(make_member())
    rewind(client, active_at=settings.SESSION_IDLE_SECONDS + 5)
    answer = client.post("/connexion/etablissement/", headers={"referer": "http://testserver/connexion/profil/?x=1"})
    assert answer.url == "/connexion/?next=%2Fconnexion%2Fprofil%2F%3Fx%3D1"
    fragment = client.get(PROFILE, headers={"hx-request": "true", "hx-current-url": "http://testserver/patients/"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/connexion/?next=%2Fpatients%2F")


def test_an_act_starts_the_idle_time_anew_and_what_a_page_does_by_itself_does_not() -> None:
    client = client_of(make_member())
    rewind(client, active_at=600)
    before = client.session["active_at"]
    client.get(PROFILE, headers={"x-background": "1"})
    client.get("/live/inconnu/")
    client.get(CLOCK, headers={"x-background": "1"})
    assert client.session["active_at"] == before
    client.get(PROFILE)
    assert client.session["active_at"] > before + 590


def test_twelve_hours_after_sign_in_the_session_ends_whatever_one_does() -> None:
    client = client_of(make_member())
    rewind(client, signed_in_at=12 * 3600 - 5)
    assert inside(client)
    rewind(client, signed_in_at=12 * 3600 + 5)
    assert not inside(client)


def test_the_clock_tells_what_is_left_and_a_post_says_that_someone_is_there() -> None:
    client = client_of(make_member())
    rewind(client, active_at=settings.SESSION_IDLE_SECONDS - 100)
    assert 95 <= client.get(CLOCK, headers={"x-background": "1"}).json()["left"] <= 100
    assert client.post(CLOCK).json()["left"] >= settings.SESSION_IDLE_SECONDS - 5
    rewind(client, active_at=settings.SESSION_IDLE_SECONDS + 1)
    assert client.get(CLOCK, headers={"x-background": "1"}).json() == {"left": 0}
    assert Client().get(CLOCK).json() == {"left": 0}


def test_a_page_read_often_does_not_write_the_session_each_time(django_assert_num_queries) -> None:
    client = client_of(make_member())
    client.get(CLOCK)
    with django_assert_num_queries(3):  # session, user, membership
        client.get(CLOCK)


def test_devices_are_listed_with_this_one_first_and_addresses_shortened() -> None:
    user = make_member().user
    here = client_of(user)
    client_of(user)
    client_of(make_user())
    page = here.get("/connexion/appareils/")
    assert [device.here for device in page.context["devices"]] == [True, False]
    assert "Firefox, Linux" in page.text
    assert "192.0.•.•" in page.text
    assert "192.0.2.17" not in page.text


def test_a_device_is_signed_out_at_once() -> None:
    user = make_member().user
    here, there = client_of(user), client_of(user)
    device = here.get("/connexion/appareils/").context["devices"][1]
    here.post(f"/connexion/appareils/{device.id}/deconnecter/")
    assert (inside(here), inside(there)) == (True, False)


def test_the_device_of_another_person_is_not_there() -> None:
    other = client_of(make_member())
    device = other.get("/connexion/appareils/").context["devices"][0]
    mine = client_of(make_member())
    assert mine.post(f"/connexion/appareils/{device.id}/deconnecter/").status_code == 404
    assert inside(other)


def test_signing_this_device_out_leads_to_the_sign_in() -> None:
    here = client_of(make_member())
    device = here.get("/connexion/appareils/").context["devices"][0]
    assert here.post(f"/connexion/appareils/{device.id}/deconnecter/").url == "/connexion/"
    assert not inside(here)


def test_sign_out_everywhere_ends_every_session_of_that_person_alone() -> None:
    user = make_member().user
    here, there, other = client_of(user), client_of(user), client_of(make_member())
    assert here.post("/connexion/appareils/deconnecter-partout/").url == "/connexion/"
    assert [inside(one) for one in (here, there, other)] == [False, False, True]
    assert Session.objects.filter(session_key=there.cookies["relais_session"].value).count() == 0
    assert Entry.objects.filter(action="session.end_all", user_id=user.pk).count() == 1


@pytest.mark.req("TC-04")
def test_one_of_several_establishments_is_chosen_then_switched() -> None:
    first = make_member(make_establishment("Alpha"))
    second = make_member(make_establishment("Beta"), user=first.user)
    stranger = make_establishment("Gamma")
    client = client_of(first.user)
    assert client.get("/connexion/membres/").url == "/connexion/etablissement/"
    page = client.get("/connexion/etablissement/?next=/patients/")
    assert [one.establishment.name for one in page.context["places"]] == ["Alpha", "Beta"]
    choice = {"establishment": str(second.establishment_id), "next": "/patients/"}
    assert client.post("/connexion/etablissement/", choice).url == "/patients/"
    assert client.session["establishment"] == str(second.establishment_id)
    client.post("/connexion/etablissement/", {"establishment": str(first.establishment_id)})
    assert client.session["establishment"] == str(first.establishment_id)
    for wrong in (str(stranger.pk), "pas un identifiant", ""):
        assert client.post("/connexion/etablissement/", {"establishment": wrong}).status_code == 404
    assert client.session["establishment"] == str(first.establishment_id)
    about = Entry.objects.filter(action="session.choose").order_by("id").values_list("about", flat=True)
    assert list(about) == [second.establishment_id, first.establishment_id]


def test_the_choice_leads_to_pages_of_this_site_only() -> None:
    member = make_member()
    client = client_of(member.user)
    choice = {"establishment": str(member.establishment_id), "next": "https://ailleurs.test/"}
    assert client.post("/connexion/etablissement/", choice).url == "/"


def test_more_than_eight_establishments_can_be_searched() -> None:
    user = make_user()
    for number in range(9):
        make_member(make_establishment(f"Maison {number}"), user=user)
    client = client_of(user)
    assert client.get("/connexion/etablissement/").context["searchable"] is True
    found = client.get("/connexion/etablissement/?q=maison 4").context["places"]
    assert [one.establishment.name for one in found] == ["Maison 4"]
    assert "Aucun établissement ne porte ce nom" in client.get("/connexion/etablissement/?q=zzz").text


def test_who_works_nowhere_is_told_whom_to_call() -> None:
    page = client_of(make_user()).get("/connexion/etablissement/").text
    assert "Aucun établissement ne vous est rattaché" in page
    assert settings.ENV["SUPPORT_PHONE_DAY"] in page


def test_an_establishment_that_closed_is_no_place_to_work() -> None:
    client = sign_in(Client(), make_member(make_establishment(active=False)))
    assert client.get("/connexion/membres/").url == "/connexion/etablissement/"


def test_the_night_forgets_old_attempts_and_ended_sessions_alone() -> None:
    member = make_member()
    open_still, over = client_of(member), client_of(member)
    Session.objects.filter(session_key=over.session.session_key).update(expire_date="2026-01-01T00:00Z")
    for kind, days in (("account:new", 0), ("account:old", 1)):
        Attempts.objects.create(key=kind, last_at=timezone.now() - timedelta(days=days))
    forget(timestamp=0)
    assert inside(open_still)
    assert UserSession.objects.count() == Session.objects.count() == 1
    assert list(Attempts.objects.order_by("key").values_list("key", flat=True)) == ["account:new"]
