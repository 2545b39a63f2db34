"""The agents' list, answers, and following a request by its number."""

import itertools
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role, User
from relais.accounts.testing import client_of, make_member, make_user
from relais.audit.models import Entry
from relais.notifications.models import Message
from relais.patients.testing import make_grant
from relais.portal import queries
from relais.portal.models import Ticket

pytestmark = pytest.mark.django_db
DESK = "/support/"


@pytest.fixture
def agent() -> Client:
    """An agent of the help desk, who works in no establishment."""
    return client_of(make_user("Morel", "Hugo", help_desk=True))


def make_ticket(**fields: Any) -> Ticket:
    values = {
        "key": uuid.uuid4(),
        "service": "Téléconsultation",
        "subject": "Le son grésille",
        "text": "Avec le casque.",
        "email": "visiteur@exemple.test",
        "actor_kind": "visitor",
    }
    return Ticket.objects.create(**{**values, **fields})


def page(ticket: Ticket) -> str:
    return reverse("portal:ticket", args=[ticket.pk])


def message(text: str = "Bonjour, montez le volume.") -> dict[str, str]:
    return {"key": str(uuid.uuid4()), "text": text}


def rows_alone(client: Client, path: str = DESK) -> Any:
    """What the open list asks for at a ping."""
    return client.get(path, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="desk-rows")


def test_the_open_list_asks_for_its_rows_and_their_number_alone(agent: Client) -> None:
    assert "Tout est traité" in rows_alone(agent).content.decode()
    make_ticket()
    rows = rows_alone(agent).content.decode()
    assert "Le son grésille" in rows
    assert '<span id="desk-waiting" hx-swap-oob="innerHTML">Une demande à traiter.' in rows
    assert "<html" not in rows
    page_whole = agent.get(DESK).content.decode()
    assert "<html" in page_whole
    assert '<span id="desk-waiting">Une demande à traiter.' in page_whole
    assert 'data-live="portal:desk:' in page_whole


def test_who_is_no_agent_gets_no_rows() -> None:
    make_ticket()
    answer = rows_alone(client_of(make_member(role=Role.PRACTITIONER)))
    assert answer.status_code in (403, 404)
    assert "Le son grésille" not in answer.content.decode()


def test_an_agent_without_establishment_works_at_the_desk(agent: Client) -> None:
    make_ticket()
    assert "Le son grésille" in agent.get(DESK).content.decode()
    assert agent.get("/").status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_members_of_establishments_have_no_desk(role: str) -> None:
    ticket = make_ticket()
    browser = client_of(make_member(role=role))
    assert browser.get(DESK).status_code == 404
    assert browser.get(page(ticket)).status_code == 404
    assert browser.post(page(ticket), message()).status_code == 404
    ticket.refresh_from_db()
    assert (ticket.state, ticket.answers.count()) == ("open", 0)


def test_nobody_comes_in_without_signing_in(client: Client) -> None:
    assert client.get(DESK).url.startswith("/connexion/")
    assert client.get(page(make_ticket())).url.startswith("/connexion/")


def test_the_one_that_waits_longest_is_on_top(agent: Client) -> None:
    now = timezone.now()
    for minutes in (5, 90, 30):
        make_ticket(subject=f"{minutes} minutes", moved_at=now - timedelta(minutes=minutes))
    rows = agent.get(DESK).context["desk"].rows
    assert [ticket.subject for ticket, _place in rows] == ["90 minutes", "30 minutes", "5 minutes"]


def test_filters_by_state_service_and_words(agent: Client) -> None:
    make_ticket(subject="Ouverte")
    make_ticket(subject="Close", state="closed")
    other = make_ticket(subject="Ailleurs", service="Autres services")

    def shown(query: str) -> set[str]:
        return {ticket.subject for ticket, _place in agent.get(f"{DESK}?{query}").context["desk"].rows}

    assert shown("state=closed") == {"Close"}
    assert shown("state=all") == {"Ouverte", "Close", "Ailleurs"}
    assert shown("service=Autres services") == {"Ailleurs"}
    assert shown(f"state=all&q={other.number.lower()}") == {"Ailleurs"}
    assert shown("state=closed&service=Autres services") == set()
    assert shown("state=nimporte&service=quoi") == {"Ouverte", "Ailleurs"}


@pytest.mark.parametrize("state", ["open", "closed"])
def test_pages_by_key_show_every_request_once(agent: Client, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    moment = timezone.now()
    for number in range(5):
        make_ticket(subject=str(number), state=state, moved_at=moment)
    seen, address = [], f"{DESK}?state={state}"
    for _page in range(3):
        context = agent.get(address).context
        seen += [ticket.subject for ticket, _place in context["desk"].rows]
        address = DESK + (context["paging"]["next_url"] or "")
    assert sorted(seen) == list("01234")


def test_a_broken_page_key_shows_the_first_page(agent: Client) -> None:
    make_ticket()
    assert len(agent.get(f"{DESK}?apres=n%27importe_quoi").context["desk"].rows) == 1


def test_the_desk_takes_the_same_queries_for_one_and_three(agent: Client) -> None:
    agent.get(DESK)  # the first page of a session also opens it
    counts = []
    for number in range(3):
        member = make_member()
        make_ticket(user_id=member.user_id, establishment_id=member.establishment_id, subject=str(number))
        with CaptureQueriesContext(connection) as captured:
            agent.get(DESK)
        counts.append(len(captured))
    assert len(set(counts)) == 1


@pytest.mark.req("SU-03")
def test_an_answer_is_announced_without_its_text(agent: Client) -> None:
    ticket = make_ticket()
    agent.post(page(ticket), message("Changez de casque."))
    ticket.refresh_from_db()
    assert (ticket.state, ticket.answers.get().from_agent) == ("answered", True)
    sent = Message.objects.get(type="portal.answer")
    assert sent.address == "visiteur@exemple.test"
    assert "casque" not in str(sent.context)


def test_an_answer_sent_twice_is_one(agent: Client) -> None:
    ticket, form = make_ticket(), message()
    for _click in range(2):
        agent.post(page(ticket), form)
    assert ticket.answers.count() == 1
    assert Message.objects.filter(type="portal.answer").count() == 1


def test_an_agent_s_reading_leaves_a_trace(agent: Client) -> None:
    ticket = make_ticket()
    agent.get(page(ticket))
    assert Entry.objects.filter(action="ticket.read", about=ticket.pk).count() == 1


def test_the_clock_starts_again_when_the_person_writes(agent: Client) -> None:
    member = make_member()
    long_ago = timezone.now() - timedelta(days=2)
    ticket = make_ticket(user_id=member.user_id, actor_kind="professional", state="answered", moved_at=long_ago)
    client_of(member).post(page(ticket), message("Toujours pareil."))
    ticket.refresh_from_db()
    assert ticket.state == "open"
    assert ticket.moved_at > long_ago
    assert [answer.from_agent for answer in ticket.answers.all()] == [False]


def test_a_resolved_request_opens_again_when_the_person_writes_but_an_agent_reopens_first(agent: Client) -> None:
    member = make_member()
    ticket = make_ticket(user_id=member.user_id, actor_kind="professional", state="closed")
    assert agent.post(page(ticket), message()).status_code == 422
    client_of(member).post(page(ticket), message("En fait, non."))
    ticket.refresh_from_db()
    assert ticket.state == "open"


# who × verb × state: what each may do, everything else is refused
EXPECTED = {
    ("agent", "close"): {"open": "closed", "answered": "closed"},
    ("agent", "reopen"): {"closed": "open"},
    ("asker", "close"): {"open": "closed", "answered": "closed"},
    ("asker", "reopen"): {},
    ("stranger", "close"): {},
    ("stranger", "reopen"): {},
}


@pytest.mark.parametrize(
    ("who", "verb", "state"),
    [(*pair, state) for pair, state in itertools.product(EXPECTED, ("open", "answered", "closed"))],
)
def test_every_state_verb_and_role(agent: Client, who: str, verb: str, state: str) -> None:
    member = make_member()
    ticket = make_ticket(user_id=member.user_id, actor_kind="professional", state=state)
    browser = {"agent": agent, "asker": client_of(member), "stranger": client_of(make_member())}[who]
    browser.post(reverse(f"portal:{verb}", args=[ticket.pk]))
    ticket.refresh_from_db()
    assert ticket.state == EXPECTED[who, verb].get(state, state)


def test_one_follows_a_request_by_number_and_contact_and_adds_to_it(client: Client) -> None:
    ticket = make_ticket(text="Ma question")
    follow = reverse("portal:follow")
    shown = client.post(follow, {"number": ticket.number.lower(), "contact": "Visiteur@exemple.test"})
    assert "Ma question" in shown.content.decode()
    client.post(follow, {"token": shown.context["token"], **message("Une précision.")})
    assert ticket.answers.get().text == "Une précision."
    client.post(follow, {"token": shown.context["token"], "close": "1"})
    ticket.refresh_from_db()
    assert ticket.state == "closed"


def test_one_follows_by_telephone_however_it_is_written(client: Client) -> None:
    ticket = make_ticket(email="", phone="+33639981234")
    shown = client.post(reverse("portal:follow"), {"number": ticket.number, "contact": "06 39 98 12 34"})
    assert ticket.text in shown.content.decode()


@pytest.mark.parametrize("wrong", ["number", "contact", "empty phone"])
def test_a_wrong_number_and_a_wrong_contact_have_the_same_answer(client: Client, wrong: str) -> None:
    ticket = make_ticket()
    form = {"number": ticket.number, "contact": ticket.email}
    form |= {"number": {"number": "AIDE-2222-2222"}, "contact": {"contact": "autre@exemple.test"}}.get(
        wrong, {"contact": "+"}
    )
    response = client.post(reverse("portal:follow"), form)
    assert response.status_code == 422
    assert "Aucune demande ne correspond" in response.content.decode()
    assert ticket.text not in response.content.decode()


def test_a_forged_token_opens_nothing(client: Client) -> None:
    ticket = make_ticket()
    response = client.post(reverse("portal:follow"), {"token": str(ticket.pk), **message()})
    assert response.status_code == 302
    assert ticket.answers.count() == 0


def test_an_agent_sees_where_a_patient_s_request_comes_from_and_no_patient(agent: Client) -> None:
    grant, _secrets = make_grant()
    ticket = make_ticket(grant_id=grant.pk, actor_kind="patient", page="/p/…/", device_test={"rtt_ms": 42})
    text = agent.get(page(ticket)).content.decode()
    assert "/p/…/" in text
    assert "rtt_ms" in text
    assert grant.patient.birth_family_name not in text


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_instant_are_one_request_and_one_answer(agent: Client) -> None:
    form = {
        "key": str(uuid.uuid4()),
        "service": "Téléconsultation",
        "subject": "Ensemble",
        "text": "Deux fois.",
        "email": "a@exemple.test",
    }
    asked = at_once(lambda: Client().post(reverse("portal:help"), form).status_code)
    ticket = Ticket.objects.get()
    answer = message()
    answered = at_once(lambda: client_of(agent_user()).post(page(ticket), answer).status_code)
    assert (set(asked), set(answered)) == ({200}, {302})
    assert ticket.answers.count() == 1
    assert Message.objects.filter(type="portal.answer").count() == 1


def agent_user() -> User:
    return User.objects.get(help_desk=True)


def at_once(do: Callable[[], int], threads: int = 4) -> list[int]:
    """What each of `threads` gets that start together, each on a connection of its own."""
    barrier = threading.Barrier(threads)

    def run(_number: int) -> int:
        barrier.wait()
        try:
            return do()
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
