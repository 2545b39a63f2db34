"""The rota of a service: who keeps it, who reads it, what changes and what must follow (domain.md §3.4)."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from relais.accounts.actions import change_role, remove_member
from relais.accounts.models import User
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core import times
from relais.core.actor import SYSTEM_ACTOR
from relais.core.errors import NotFound, Refused
from relais.core.paris import PARIS
from relais.notifications.models import Message
from relais.oncall import changes, queries
from relais.oncall.actions import pool, slots, watch
from relais.oncall.models import OnCallSlot, PoolMember, ToldGap
from relais.oncall.testing import cover, join, make_pool, make_service, make_slot

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return make_service(name="Astreinte gériatrique Sud")


@pytest.fixture
def referent(service):
    return make_member(service.establishment, "manager")


@pytest.fixture
def doctors(service):
    return make_pool(service, "Albert", "Bernard")


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The services that what must follow was told of."""
    told: list[Any] = []
    monkeypatch.setattr(changes, "_followers", [told.append])
    return told


def day(ahead: int, hour: int = 8) -> datetime:
    return datetime.combine(timezone.localdate() + timedelta(days=ahead), time(hour), tzinfo=PARIS)


def said(member, ahead: int = 1, **fields: Any) -> slots.Said:
    return slots.Said(user_id=member.user_id, starts_at=day(ahead), ends_at=day(ahead, 19), **fields)


def posted(client: Client, service, member, **fields: Any):
    return client.post(
        f"/astreintes/{service.pk}/ajouter/",
        {"user": str(member.user_id), "day": f"{day(1):%Y-%m-%d}", "starts": "08:00", "ends": "19:00", **fields},
    )


def test_the_referent_adds_a_slot_and_its_doctor_is_told(service, referent, doctors, followed) -> None:
    answer = posted(client_of(referent), service, doctors[0], backup=str(doctors[1].user_id), phone="06 39 98 00 09")
    assert answer.status_code == 302
    slot = OnCallSlot.objects.get()
    assert (slot.user, slot.starts_at, slot.ends_at, slot.state) == (doctors[0].user, day(1), day(1, 19), "planned")
    assert (slot.backup, slot.phone, slot.establishment) == (doctors[1].user, "06 39 98 00 09", service.establishment)
    assert [(one.type, one.holder_id) for one in Message.objects.all()] == [("oncall.rota", doctors[0].user_id)]
    assert followed == [service.pk]
    page = client_of(referent).get(answer.url).content.decode()
    assert ("Dr Claire Albert" in page, "Renfort : Dr Claire Bernard" in page) == (True, True)


def test_a_slot_is_repeated_on_days_of_the_week_and_its_doctor_is_told_once(service, referent, doctors) -> None:
    until = day(14)
    posted(client_of(referent), service, doctors[0], weekdays=[str(n) for n in range(7)], until=f"{until:%Y-%m-%d}")
    starts = list(OnCallSlot.objects.values_list("starts_at", flat=True))
    assert starts == [day(ahead) for ahead in range(1, 15)]
    assert Message.objects.count() == 1


def test_an_end_before_the_beginning_is_on_the_next_day(service, referent, doctors) -> None:
    posted(client_of(referent), service, doctors[0], starts="19:00", ends="08:00")
    assert OnCallSlot.objects.get().ends_at == day(2)


def test_a_doctor_is_not_on_call_twice_at_once_and_two_doctors_may_be(service, referent, doctors) -> None:
    client = client_of(referent)
    posted(client, service, doctors[0])
    again = posted(client, service, doctors[0], starts="12:00", ends="20:00")
    assert (again.status_code, "est déjà d’astreinte à ce moment-là" in again.content.decode()) == (422, True)
    assert posted(client, service, doctors[1], starts="18:00", ends="20:00").status_code == 302
    page = client.get(f"/astreintes/{service.pk}/?semaine={day(1):%Y-%m-%d}").content.decode()
    assert "Couvert deux fois" in page
    assert "Des heures sont couvertes deux fois" in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"user": "x"}, "Sélectionnez un choix valide"),
        ({"backup": "same"}, "Le renfort est une autre personne"),
        ({"day": "2020-01-01"}, "Cette astreinte est déjà passée"),
        ({"end_day": "2020-01-01"}, "La fin vient avant le début"),
        ({"day": "9999-12-31", "starts": "19:00", "ends": "08:00"}, "vérifiez l’année"),
        ({"day": "9999-12-31", "weekdays": ["1"], "until": "9999-12-31"}, "vérifiez l’année"),
        ({"end_day": "9999-12-31"}, "vérifiez l’année"),
        ({"weekdays": ["1"]}, "Indiquez jusqu’à quel jour répéter"),
        ({"day": "2027-03-28", "starts": "02:30", "ends": "08:00"}, "Cette heure n’existe pas"),
    ],
)
def test_a_slot_that_cannot_be_is_refused_with_a_sentence(service, referent, doctors, fields, sentence) -> None:
    if fields.get("backup") == "same":
        fields = {"backup": str(doctors[0].user_id)}
    answer = posted(client_of(referent), service, doctors[0], **fields)
    assert (answer.status_code, OnCallSlot.objects.count()) == (422, 0)
    assert sentence in answer.content.decode()


def test_who_may_what(service, referent, doctors) -> None:
    """Referents keep the rota, the pool reads it, a colleague of the place and a referent of elsewhere see nothing."""
    slot = make_slot(service, doctors[0], day(1), day(1, 19), doctors[1])
    people = {
        "referent": referent,
        "doctor": doctors[0],
        "pool": doctors[1],
        "colleague": make_practitioner(service.establishment),
        "elsewhere": make_member(make_establishment(), "manager"),
        "secretary": make_member(service.establishment, "secretary"),
    }
    seen: dict[str, list[str]] = {"read": [], "add": [], "slot": []}
    for name, member in people.items():
        client = client_of(member)
        pages = {"read": f"/astreintes/{service.pk}/", "add": f"/astreintes/{service.pk}/ajouter/"}
        pages["slot"] = f"/astreintes/creneaux/{slot.pk}/"
        for key, url in pages.items():
            if client.get(url).status_code == 200:
                seen[key].append(name)
    assert seen == {
        "read": ["referent", "doctor", "pool"], "add": ["referent"], "slot": ["referent", "doctor", "pool"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("act", "allowed"),
    [
        ("add_slots", ["referent"]),
        ("change_slot", ["referent"]),
        ("remove_slot", ["referent"]),
        ("confirm", ["doctor"]),
        ("mark_absent", ["referent", "doctor"]),
        ("add_member", ["referent"]),
        ("remove_member", ["referent"]),
    ],
)
def test_each_act_is_refused_to_everybody_else(service, referent, doctors, act: str, allowed: list[str]) -> None:
    slot = make_slot(service, doctors[0], day(1), day(1, 19))
    people = {"referent": referent, "doctor": doctors[0], "pool": doctors[1], "elsewhere": make_member(None, "manager")}
    new = make_practitioner(service.establishment)

    def does(name: str) -> bool:
        actor = actor_for(people[name])
        given: dict[str, Any] = {
            "add_slots": {"service": service, "said": [said(doctors[1], 3 + list(people).index(name))]},
            "change_slot": {"slot": slot, "said": said(doctors[0], phone="01 99 00 00 00")},
            "add_member": {"service": service, "membership": new},
            "remove_member": {"service": service, "member": PoolMember.objects.get(user=doctors[1].user)},
        }.get(act, {"slot": slot})
        try:
            getattr(pool if act.endswith("member") else slots, act)(actor=actor, **given)
        except NotFound:
            return False
        except Refused:  # somebody else was quicker
            pass
        return True

    assert [name for name in reversed(people) if does(name)] == [name for name in reversed(people) if name in allowed]


def test_a_doctor_confirms_and_says_an_absence_on_the_page(service, referent, doctors, followed) -> None:
    slot = make_slot(service, doctors[0], day(1), day(1, 19), doctors[1])
    client, url = client_of(doctors[0]), f"/astreintes/creneaux/{slot.pk}/"
    client.post(f"{url}confirm/")
    slot.refresh_from_db()
    assert slot.state == "confirmed"
    client.post(f"{url}mark_absent/")
    assert [one.name for one in queries.on_duty(service, day(1, 9))] == ["Dr Claire Bernard"]
    assert followed == [service.pk, service.pk]
    assert [(one.type, one.holder_id) for one in Message.objects.all()] == [("oncall.absent", referent.user_id)]
    assert "n’est plus possible" in client.post(f"{url}confirm/", follow=True).content.decode()
    client.post(f"{url}mark_present/")
    assert [one.rank for one in queries.on_duty(service, day(1, 9))] == ["primary", "backup"]


def test_other_hours_are_to_be_confirmed_again_and_a_slot_that_began_keeps_its_beginning(
    service, referent, doctors
) -> None:
    slot = make_slot(service, doctors[0], day(1), day(1, 19), state="confirmed")
    actor = actor_for(referent)
    changed = slots.change_slot(actor=actor, slot=slot, said=said(doctors[0], phone="01 99 00 00 00"))
    assert (changed.state, changed.phone) == ("confirmed", "01 99 00 00 00")
    moved = slots.Said(user_id=doctors[0].user_id, starts_at=day(1, 9), ends_at=day(1, 19))
    slots.change_slot(actor=actor, slot=slot, said=moved)
    slot.refresh_from_db()
    assert (slot.state, slot.starts_at) == ("planned", day(1, 9))
    running = make_slot(service, doctors[1], timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=2))
    earlier = slots.Said(user_id=doctors[1].user_id, starts_at=day(-1), ends_at=running.ends_at)
    with pytest.raises(Refused, match="seule sa fin peut changer"):
        slots.change_slot(actor=actor, slot=running, said=earlier)
    with pytest.raises(Refused, match="a commencé"):
        slots.remove_slot(actor=actor, slot=running)


def test_a_slot_that_is_taken_out_is_told_to_its_doctor_and_followed(service, referent, doctors, followed) -> None:
    slot = make_slot(service, doctors[0], day(1), day(1, 19))
    answer = client_of(referent).post(f"/astreintes/creneaux/{slot.pk}/remove/")
    assert (answer.status_code, OnCallSlot.objects.count(), followed) == (302, 0, [service.pk])
    assert Message.objects.get().holder_id == doctors[0].user_id


def test_who_leaves_is_replaced_by_the_back_up_and_shown_to_the_referent(service, referent, doctors, followed) -> None:
    """By leaving the establishment, by another role, or taken out of the pool."""
    third = make_practitioner(service.establishment, family_name="Colin")
    join(service, third)
    for ahead, member in enumerate((doctors[0], third), 1):
        make_slot(service, member, day(ahead), day(ahead, 19), doctors[1])
    remove_member(actor=SYSTEM_ACTOR, membership_id=doctors[0].pk)
    change_role(actor=SYSTEM_ACTOR, membership_id=third.pk, role="secretary")
    assert followed == [service.pk, service.pk]
    assert [one.rank for ahead in (1, 2) for one in queries.on_duty(service, day(ahead, 9))] == ["backup", "backup"]
    client = client_of(referent)
    pages = [client.get(f"/astreintes/{service.pk}/?semaine={day(ahead):%Y-%m-%d}") for ahead in (1, 2)]
    for name, page in zip(("Albert", "Colin"), pages, strict=True):
        assert "Des médecins ne répondent plus pour ce service" in page.content.decode()
        assert name in page.content.decode()
        assert "Ne répond plus pour ce service" in page.content.decode()
    assert "N’y travaille plus" in client.get(f"/astreintes/{service.pk}/equipe/").content.decode()


def test_who_keeps_the_rota_reads_by_which_number_to_call_the_doctors_and_a_colleague_does_not(
    service, referent, doctors
) -> None:
    User.objects.filter(pk=doctors[0].user_id).update(mobile="+33639980012")
    url, number = f"/astreintes/{service.pk}/equipe/", 'href="tel:0639980012"'
    assert number in client_of(referent).get(url).content.decode()
    assert number not in client_of(doctors[1]).get(url).content.decode()


def test_the_last_of_a_pool_stays_and_a_colleague_of_elsewhere_is_found_by_name(service, referent, doctors) -> None:
    client, url = client_of(referent), f"/astreintes/{service.pk}/equipe/"
    for number, member in enumerate(PoolMember.objects.all()):
        answer = client.post(f"{url}{member.pk}/retirer/", follow=True).content.decode()
        assert ("est la dernière à répondre" in answer) == bool(number)
    far = make_practitioner(make_establishment("Clinique du Lac"), family_name="Zimmermann")
    assert "Clinique du Lac" in client.get(f"{url}?q=zimmer").content.decode()
    client.post(url, {"membership": str(far.pk)})
    client.post(url, {"membership": str(far.pk)})
    assert [one.user for one in queries.members(service)] == [doctors[1].user, far.user]
    assert client_of(far).get(f"/astreintes/{service.pk}/").status_code == 200
    secretary = make_member(service.establishment, "secretary")
    for sent, field in (({}, 'id="p-who"'), ({"elsewhere": "1"}, 'id="p-q"')):
        answer = client.post(url, {"membership": str(secretary.pk), **sent})
        marked = [line for line in answer.content.decode().splitlines() if "aria-invalid" in line]
        assert (answer.status_code, [field in line for line in marked]) == (422, [True]), "the error is of its field"


def test_a_hole_ahead_is_red_on_the_page_and_told_to_the_referent_once(service, referent, doctors) -> None:
    for ahead in range(9):
        if ahead != 3:
            make_slot(service, doctors[0], day(ahead), day(ahead, 19))
    now = day(0, 12)
    assert [watch.alert_gaps(now), watch.alert_gaps(now + timedelta(hours=1))] == [1, 0]
    told = Message.objects.get()
    assert (told.type, told.holder_id, ToldGap.objects.get().starts_at) == ("oncall.gap", referent.user_id, day(3))
    page = client_of(referent).get(f"/astreintes/{service.pk}/?semaine={day(3):%Y-%m-%d}").content.decode()
    assert "Personne" in page
    assert f"?jour={day(3):%Y-%m-%d}" in page
    make_slot(service, doctors[1], day(3), day(3, 13))
    assert watch.alert_gaps(now + timedelta(hours=2)) == 0, "what is left of a hole was told"


def test_a_hole_is_told_again_by_sms_a_day_before_and_once(service, referent, doctors) -> None:
    """Of one that opens within the day, by SMS at once; without a mobile, by e-mail."""
    deputy = make_member(service.establishment, "manager", mobile="")
    User.objects.filter(pk=referent.user_id).update(mobile="+33639980001")
    for ahead in range(12):
        if ahead != 3:
            make_slot(service, doctors[0], day(ahead), day(ahead, 19))
    moments = [day(0, 12), day(2, 6), day(2, 9), day(2, 10), day(3, 9)]
    assert [watch.alert_gaps(one) for one in moments] == [1, 0, 1, 0, 0]
    again = {one.holder_id: one for one in Message.objects.filter(type="oncall.gap_soon")}
    assert {pk: one.channel for pk, one in again.items()} == {referent.user_id: "sms", deputy.user_id: "email"}
    assert again[referent.user_id].other_address == referent.user.email, "where the SMS is refused"
    assert Message.objects.filter(type="oncall.gap").count() == 2
    OnCallSlot.objects.filter(starts_at=day(4)).delete()
    assert [watch.alert_gaps(day(3, 9)), watch.alert_gaps(day(3, 10))] == [1, 0]
    assert Message.objects.filter(type="oncall.gap_soon").count() == 4
    assert Message.objects.filter(type="oncall.gap").count() == 2, "told once, as what presses"


def test_what_is_left_of_a_hole_is_told_again_when_it_is_about_to_begin(referent, doctors) -> None:
    """A service that never closes has one hole of three days, of which the first is filled the evening before."""
    service = make_service("samu", referent.establishment)
    member = make_pool(service, "Colin")[0]
    make_slot(service, member, day(-1), day(2))
    make_slot(service, member, day(5), day(12))
    assert [watch.alert_gaps(day(0)), watch.alert_gaps(day(1, 10))] == [1, 1]
    make_slot(service, member, day(2), day(4))
    assert [watch.alert_gaps(one) for one in (day(1, 11), day(2, 10), day(3, 10), day(4, 10))] == [0, 0, 1, 0]


@pytest.mark.parametrize("how", ["primary", "backup", "night"])
def test_an_empty_rota_on_which_a_nursing_home_counts_is_told_to_its_referent_once_a_week(
    how, referent, doctors
) -> None:
    """At once, as what presses. Once it has slots, its holes are told as those of any rota: a day ahead."""
    place, home = referent.establishment, make_establishment(kind="ehpad")
    service = make_service("night" if how == "night" else "geriatric", place)
    other = make_service(establishment=place)
    colleague = make_pool(other, "Autre")[0]
    for ahead in range(31):
        make_slot(other, colleague, day(ahead), day(ahead, 19))
    if how != "night":
        cover(home, *((service, other) if how == "primary" else (other, service)))
    moments = [day(0, 12), day(0, 13), day(1, 12), day(6, 12), day(7, 12), day(8, 12)]
    assert [watch.alert_gaps(one) for one in moments] == [1, 0, 0, 0, 1, 0]
    told = Message.objects.all()
    assert {(one.type, one.holder_id, one.about, one.context["count"]) for one in told} == {
        ("oncall.gap_soon", referent.user_id, service.pk, 1 if how == "night" else 2)
    }
    member = make_pool(service, "Colin")[0]
    for start, end in ((8, 12), (13, 21)):
        make_slot(service, member, day(start), day(end))
    assert [watch.alert_gaps(one) for one in (day(8, 13), day(11, 20), day(11, 21))] == [0, 1, 0]


def test_an_empty_rota_on_which_no_nursing_home_counts_is_no_alarm(service, referent, doctors) -> None:
    """Of an on-call without homes, of one whose home is closed, of a SAMU (its line answers) and of a team that keeps none."""
    closed, open_one = make_establishment(kind="ehpad", active=False), make_establishment(kind="ehpad")
    cover(closed, make_service(establishment=service.establishment))
    for need, departments in (("samu", ["75"]), ("mobile", ["75"]), ("night", ["95"])):
        make_service(need, service.establishment, departments=departments)
    assert open_one.department == "75"
    assert watch.alert_gaps(day(0, 12)) == 0
    cover(open_one, service)
    assert watch.alert_gaps(day(0, 12)) == 1


@pytest.mark.req("TE-02")
def test_the_directory_says_who_is_on_duty_now(service, doctors) -> None:
    now = timezone.now()
    make_slot(service, doctors[0], now - timedelta(hours=1), now + timedelta(hours=3), doctors[1])
    client = client_of(make_practitioner())
    for url in ("/annuaire/", f"/annuaire/{service.pk}/"):
        page = client.get(url).content.decode()
        assert ("Dr Claire Albert" in page, "jusqu’à <time" in page) == (True, True), url


def test_who_answers_until_another_day_is_said_with_that_day(service, doctors) -> None:
    """A slot lasts up to eight days: an hour alone would be that of today."""
    now = timezone.now()
    ends = now + timedelta(days=5)
    make_slot(service, doctors[0], now - timedelta(hours=1), ends)
    client = client_of(doctors[0])
    for url in ("/annuaire/", f"/annuaire/{service.pk}/", f"/astreintes/{service.pk}/"):
        assert f">{times.near(ends)}<" in client.get(url).content.decode(), url
    theirs = make_slot(service, doctors[1], day(6), day(8, 7))
    own = make_slot(service, doctors[0], day(9), day(9, 19))
    page = client_of(doctors[0]).get(f"/astreintes/creneaux/{own.pk}/").content.decode()
    assert f"{times.near(theirs.starts_at)} – {times.near(theirs.ends_at)}" in page


@pytest.mark.parametrize("page", ["mine", "rota", "directory"])
def test_pages_take_the_same_number_of_queries_for_any_number_of_slots(
    service, referent, doctors, page: str, django_assert_num_queries, django_assert_max_num_queries
) -> None:
    monday = timezone.localdate() - timedelta(days=timezone.localdate().weekday()) + timedelta(days=7)
    url = {"mine": "/astreintes/", "rota": f"/astreintes/{service.pk}/?semaine={monday}", "directory": "/annuaire/"}[
        page
    ]
    client = client_of(doctors[0])
    first = datetime.combine(monday, time(8), tzinfo=PARIS)
    make_slot(service, doctors[0], first, first + timedelta(hours=4), doctors[1])
    client.get(url)
    with django_assert_max_num_queries(30) as before:
        client.get(url)
    for number in range(1, 4):
        start = first + timedelta(days=number)
        make_slot(service, doctors[0], start, start + timedelta(hours=4), doctors[1])
        other = make_service(establishment=service.establishment)
        join(other, doctors[0])
        make_slot(other, doctors[0], start, start + timedelta(hours=4))
    with django_assert_num_queries(len(before)):
        client.get(url)


def test_my_slots_leave_as_a_calendar_without_a_specialty(service, doctors) -> None:
    make_slot(service, doctors[0], day(1), day(1, 19))
    answer = client_of(doctors[0]).get("/astreintes/mes-astreintes.ics")
    assert answer["Content-Type"].startswith("text/calendar")
    text = answer.content.decode()
    assert ("SUMMARY:Astreinte\r\n" in text, "riatri" in text, text.count("BEGIN:VEVENT")) == (True, False, 1)
