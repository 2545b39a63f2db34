"""Replacement and exchange: agreed by both, or nothing changes; of two at once one wins."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.testing import actor_for, client_of, make_member, make_practitioner
from relais.core.errors import NotFound, Refused
from relais.core.testing.races import outcomes
from relais.notifications.models import Message
from relais.oncall import changes, queries
from relais.oncall.actions import replacements, slots
from relais.oncall.models import OnCallSlot, Replacement
from relais.oncall.testing import make_pool, make_service, make_slot

pytestmark = pytest.mark.django_db
HOURS = timedelta(hours=11)


class House:
    """Two doctors of an on-call: A has tomorrow's slot with C behind, B the one after."""

    def __init__(self) -> None:
        self.service = make_service()
        self.a, self.b, self.c = make_pool(self.service, "Albert", "Bernard", "Colin")
        self.referent = make_member(self.service.establishment, "manager")
        start = timezone.now() + timedelta(days=1)
        self.first = make_slot(self.service, self.a, start, start + HOURS, self.c, state="confirmed")
        self.second = make_slot(self.service, self.b, start + HOURS, start + HOURS + HOURS, self.a)

    def ask(self, against: OnCallSlot | None = None, member: Any = None) -> Replacement:
        asked_id = (member or self.b).user_id
        return replacements.ask(actor=actor_for(self.a), slot=self.first, asked_id=asked_id, against=against)

    def on_duty(self, slot: OnCallSlot) -> list[str]:
        return [one.name.split()[-1] for one in queries.on_duty(self.service, slot.starts_at)]


@pytest.fixture
def house() -> House:
    return House()


def test_a_slot_changes_hands_only_when_the_colleague_accepts(house, monkeypatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(changes, "_followers", [told.append])
    client = client_of(house.a)
    client.post(f"/astreintes/creneaux/{house.first.pk}/remplacement/", {"asked": str(house.b.user_id)})
    row = Replacement.objects.get()
    assert (house.on_duty(house.first), row.state) == (["Albert", "Colin"], "asked")
    page = client_of(house.b).get("/astreintes/").content.decode()
    assert "Dr Claire Albert vous demande un remplacement" in page
    answer = client_of(house.b).post(f"/astreintes/demandes/{row.pk}/accept/", follow=True).content.decode()
    assert "L’astreinte est à vous" in answer
    assert house.on_duty(house.first) == ["Bernard", "Colin"]
    house.first.refresh_from_db()
    assert house.first.state == "replaced"
    assert OnCallSlot.objects.live().get(starts_at=house.first.starts_at).state == "confirmed"
    kinds = {one.type: one.holder_id for one in Message.objects.all()}
    assert kinds == {
        "oncall.asked": house.b.user_id,
        "oncall.answered": house.a.user_id,
        "oncall.replaced": house.referent.user_id,
    }
    assert told == [house.service.pk, house.service.pk]


def test_an_exchange_moves_both_slots_and_nobody_stands_behind_themselves(house) -> None:
    replacements.accept(actor=actor_for(house.b), replacement=house.ask(against=house.second))
    assert (house.on_duty(house.first), house.on_duty(house.second)) == (["Bernard", "Colin"], ["Albert"])


def test_refused_or_taken_back_the_slot_stays(house) -> None:
    row = house.ask()
    replacements.refuse(actor=actor_for(house.b), replacement=row)
    with pytest.raises(Refused, match="n’est plus possible"):
        replacements.accept(actor=actor_for(house.b), replacement=row)
    again = house.ask()
    replacements.cancel(actor=actor_for(house.a), replacement=again)
    assert house.on_duty(house.first) == ["Albert", "Colin"]
    page = client_of(house.referent).get(f"/astreintes/creneaux/{house.first.pk}/").content.decode()
    assert ("Refusée" in page, "Annulée" in page) == (True, True)


def test_nobody_else_answers_or_asks(house) -> None:
    row = house.ask()
    for member in (house.a, house.c, house.referent, make_practitioner()):
        for act in (replacements.accept, replacements.refuse):
            with pytest.raises(NotFound):
                act(actor=actor_for(member), replacement=row)
    with pytest.raises(NotFound):
        replacements.cancel(actor=actor_for(house.b), replacement=row)
    with pytest.raises(NotFound):
        replacements.ask(actor=actor_for(house.c), slot=house.first, asked_id=house.b.user_id)
    with pytest.raises(NotFound):
        replacements.ask(actor=actor_for(house.referent), slot=house.first, asked_id=house.b.user_id)


def test_what_cannot_be_asked_says_why(house) -> None:
    house.ask()
    with pytest.raises(Refused, match="attend déjà une réponse"):
        house.ask(member=house.c)
    stranger = make_practitioner(house.service.establishment)
    with pytest.raises(Refused, match="Choisissez un collègue"):
        house.ask(member=stranger)
    with pytest.raises(Refused, match="Choisissez un collègue"):
        house.ask(member=house.a)
    make_slot(house.service, house.c, house.first.starts_at, house.first.ends_at)
    replacements.cancel(actor=actor_for(house.referent), replacement=Replacement.objects.get(state="asked"))
    with pytest.raises(Refused, match="déjà d’astreinte"):
        house.ask(member=house.c)


def test_a_request_is_void_once_the_slot_has_begun(house) -> None:
    row = house.ask()
    OnCallSlot.objects.filter(pk=house.first.pk).update(starts_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(Refused, match="a commencé"):
        replacements.accept(actor=actor_for(house.b), replacement=row)
    assert queries.asked_of(actor_for(house.b)) == []
    page = client_of(house.a).get(f"/astreintes/creneaux/{house.first.pk}/").content.decode()
    assert "Sans réponse à temps" in page
    with pytest.raises(Refused, match="a commencé"):
        house.ask()


def test_a_request_is_void_once_what_was_offered_in_exchange_changed_hands(house) -> None:
    row = house.ask(against=house.second)
    assert queries.asked_of(actor_for(house.b)) == [row]
    passed = replacements.ask(actor=actor_for(house.b), slot=house.second, asked_id=house.c.user_id)
    replacements.accept(actor=actor_for(house.c), replacement=passed)
    assert queries.asked_of(actor_for(house.b)) == []
    assert "vous demande un remplacement" not in client_of(house.b).get("/astreintes/").content.decode()


def test_the_page_of_a_slot_asks_the_database_no_more_however_often_it_was_asked_for(house) -> None:
    client, url = client_of(house.referent), f"/astreintes/creneaux/{house.first.pk}/"

    def cost() -> int:
        replacements.cancel(actor=actor_for(house.a), replacement=house.ask())
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            client.get(url)
        return len(asked)

    assert cost() == cost()


def test_other_hours_take_back_what_was_asked(house) -> None:
    """Who was asked must not accept hours that they never saw."""
    row = house.ask()
    later = slots.Said(
        user_id=house.a.user_id, starts_at=house.first.starts_at + timedelta(hours=1), ends_at=house.first.ends_at
    )
    slots.change_slot(actor=actor_for(house.referent), slot=house.first, said=later)
    row.refresh_from_db()
    assert row.state == "cancelled"


def test_the_referent_gives_a_slot_at_once_and_both_doctors_are_told(house, monkeypatch) -> None:
    """The back-up of a doctor who is absent takes the slot; what the doctor asked of a colleague is taken back."""
    row = house.ask()
    slots.mark_absent(actor=actor_for(house.a), slot=house.first)
    Message.objects.all().delete()
    told: list[Any] = []
    monkeypatch.setattr(changes, "_followers", [told.append])
    client, url = client_of(house.referent), f"/astreintes/creneaux/{house.first.pk}/"
    assert "Donner à un autre médecin" in client.get(url).content.decode()
    answer = client.post(f"{url}donner/", {"user": str(house.c.user_id)}, follow=True)
    assert "Le créneau a changé de médecin" in answer.content.decode()
    taken = OnCallSlot.objects.live().get(starts_at=house.first.starts_at)
    assert (taken.user, taken.state, taken.backup, taken.phone) == (house.c.user, "planned", None, house.service.phone)
    house.first.refresh_from_db()
    row.refresh_from_db()
    assert (house.first.state, row.state, told) == ("replaced", "cancelled", [house.service.pk])
    sent = set(Message.objects.values_list("type", "holder_id"))
    assert sent == {("oncall.rota", house.a.user_id), ("oncall.rota", house.c.user_id)}


def test_only_the_referent_gives_a_slot(house) -> None:
    people = {
        "doctor": house.a, "pool": house.b, "colleague": make_practitioner(house.service.establishment),
        "secretary": make_member(house.service.establishment, "secretary"), "elsewhere": make_member(None, "manager"),
        "referent": house.referent,
    }  # fmt: skip
    gave = []
    for name, member in people.items():
        try:
            replacements.give(actor=actor_for(member), slot=house.first, user_id=house.b.user_id)
        except NotFound:
            assert client_of(member).post(f"/astreintes/creneaux/{house.first.pk}/donner/").status_code in (403, 404)
        else:
            gave.append(name)
    assert gave == ["referent"]
    assert (
        "Donner à un autre médecin"
        not in client_of(house.b).get(f"/astreintes/creneaux/{house.second.pk}/").content.decode()
    )


def test_a_slot_that_cannot_be_given_says_why_and_keeps_its_doctor(house) -> None:
    client, url = client_of(house.referent), f"/astreintes/creneaux/{house.first.pk}/donner/"
    stranger = make_practitioner(house.service.establishment)

    def said(member: Any) -> str:
        answer = client.post(url, {"user": str(member.user_id)})
        page = answer.content.decode()
        changes_hours = (
            f'action="/astreintes/creneaux/{house.first.pk}/" novalidate'  # not to the address of this refusal
        )
        assert (answer.status_code, changes_hours in page) == (422, True)
        return page

    assert "Sélectionnez un choix valide" in said(stranger)
    assert "Sélectionnez un choix valide" in said(house.a)
    actor = actor_for(house.referent)
    for member in (stranger, house.a):
        with pytest.raises(Refused, match="Choisissez un autre médecin"):
            replacements.give(actor=actor, slot=house.first, user_id=member.user_id)
    make_slot(house.service, house.c, house.first.starts_at, house.first.ends_at)
    assert "déjà d’astreinte à ce moment-là" in said(house.c)
    OnCallSlot.objects.filter(pk=house.first.pk).update(starts_at=timezone.now() - timedelta(minutes=1))
    assert "a commencé : déclarez l’absence" in said(house.b)
    house.first.refresh_from_db()
    assert (house.first.user, house.first.state) == (house.a.user, "confirmed")


@pytest.mark.django_db(transaction=True)
def test_a_slot_given_to_two_in_the_same_second_has_one_doctor() -> None:
    """By two referents, or while a colleague accepts it."""
    house = House()
    actor = actor_for(house.referent)
    give = [
        partial(replacements.give, actor=actor, slot=house.first, user_id=one.user_id) for one in (house.b, house.c)
    ]
    assert outcomes(*give) == ["done", "refused"]
    live = OnCallSlot.objects.live().filter(starts_at=house.first.starts_at)
    mine = live.get()
    colleague = house.c if mine.user_id == house.b.user_id else house.b
    asker = actor_for(house.b if colleague == house.c else house.c)
    row = replacements.ask(actor=asker, slot=mine, asked_id=house.a.user_id)
    assert outcomes(
        lambda: replacements.accept(actor=actor_for(house.a), replacement=row),
        lambda: replacements.give(actor=actor, slot=mine, user_id=colleague.user_id),
    ) == ["done", "refused"]
    assert live.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_in_the_same_second_one_wins_and_the_hour_has_one_doctor() -> None:
    """Accepted twice, accepted while it is taken back, the same doctor added twice: never two rows, never none."""
    house = House()
    b = actor_for(house.b)
    row = house.ask()
    assert outcomes(
        lambda: replacements.accept(actor=b, replacement=row), lambda: replacements.accept(actor=b, replacement=row)
    ) == ["done", "refused"]
    live = OnCallSlot.objects.live().filter(starts_at=house.first.starts_at)
    assert [one.user_id for one in live] == [house.b.user_id]
    mine = live.get()
    back = replacements.ask(actor=b, slot=mine, asked_id=house.c.user_id)
    assert outcomes(
        lambda: replacements.accept(actor=actor_for(house.c), replacement=back),
        lambda: slots.remove_slot(actor=actor_for(house.referent), slot=mine),
    ) in (["done", "done"], ["done", "refused"])
    assert live.count() <= 1
    said = [slots.Said(user_id=house.a.user_id, starts_at=house.first.starts_at, ends_at=house.first.ends_at)]
    actor = actor_for(house.referent)
    add = lambda: slots.add_slots(actor=actor, service=house.service, said=said)  # noqa: E731
    assert outcomes(add, add) == ["done", "refused"]
