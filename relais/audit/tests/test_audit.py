"""The trace: written with what it proves or not at all, never changed, read page by page."""

import contextlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from relais.audit import actions
from relais.audit.models import Entry
from relais.audit.queries import entries_about, entries_of_patient
from relais.core.actor import PATIENT, PROFESSIONAL, Actor
from relais.core.transactions import whole

pytestmark = pytest.mark.django_db
NURSE = Actor(
    kind=PROFESSIONAL,
    user_id=uuid4(),
    establishment_id=uuid4(),
    roles=frozenset({"secretary", "caregiver"}),
    assurance=2,
)


def test_a_read_says_who_where_in_which_role_what_and_why() -> None:
    about, patient = uuid4(), uuid4()
    actions.record(actor=NURSE, action="dossier.read", about=about, patient_id=patient, why="Téléconsultation")
    entry = Entry.objects.get()
    assert (entry.user_id, entry.establishment_id, entry.roles) == (
        NURSE.user_id, NURSE.establishment_id, ["caregiver", "secretary"],
    )  # fmt: skip
    assert (entry.action, entry.about, entry.patient_id, entry.why) == (
        "dossier.read",
        about,
        patient,
        "Téléconsultation",
    )
    assert entry.at is not None


def test_a_patient_s_read_carries_the_grant_that_let_them_in() -> None:
    patient = Actor(kind=PATIENT, grant_id=uuid4(), patient_id=uuid4())
    actions.record(actor=patient, action="document.read")
    entry = Entry.objects.get()
    assert (entry.actor_kind, entry.grant_id, entry.user_id) == (PATIENT, patient.grant_id, None)


def test_a_long_reason_is_cut_rather_than_lost() -> None:
    actions.record(actor=NURSE, action="dossier.read", why="x" * 400)
    assert Entry.objects.get().why == "x" * 300


@transaction.atomic
def run(cursor: Any, sql: str) -> None:
    cursor.execute(sql)


@pytest.mark.parametrize("sql", ["UPDATE audit_entry SET why = 'rien'", "DELETE FROM audit_entry"])
def test_the_database_refuses_to_change_or_delete_an_entry(sql: str) -> None:
    actions.record(actor=NURSE, action="dossier.read", why="vu")
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="Cannot update or delete rows"):
        run(cursor, sql)
    assert Entry.objects.get().why == "vu"


@pytest.mark.django_db(transaction=True)
def test_what_could_not_be_traced_did_not_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    @transaction.atomic
    def act() -> None:
        actions.record(actor=NURSE, action="first.act")
        actions.record(actor=NURSE, action="x" * 61)  # too long for its column: stands for any failure of the trace

    with pytest.raises(Exception, match="value too long"):
        act()
    assert not Entry.objects.exists()


def test_a_list_leaves_one_entry_with_the_ids_that_it_showed() -> None:
    shown = [uuid4() for _index in range(3)]
    actions.record_list(actor=NURSE, action="dashboard", ids=shown)
    assert Entry.objects.get().ids == shown


def test_an_empty_list_leaves_none() -> None:
    actions.record_list(actor=NURSE, action="dashboard", ids=[])
    assert not Entry.objects.exists()


def test_a_refetch_leaves_only_new_ids_and_none_when_there_is_none() -> None:
    session: dict[str, list[str]] = {}
    first, second, third = uuid4(), uuid4(), uuid4()
    for shown in ([first, second], [second, first], [second, third]):
        actions.record_list(actor=NURSE, action="dashboard", ids=shown, seen=session)
    assert [entry.ids for entry in Entry.objects.order_by("pk")] == [[first, second], [third]]


def test_another_list_is_another_trace() -> None:
    session: dict[str, list[str]] = {}
    shown = [uuid4()]
    actions.record_list(actor=NURSE, action="dashboard", ids=shown, seen=session)
    actions.record_list(actor=NURSE, action="history", ids=shown, seen=session)
    assert Entry.objects.count() == 2


def test_a_session_remembers_no_more_than_five_hundred_ids() -> None:
    session: dict[str, list[str]] = {}
    actions.record_list(actor=NURSE, action="history", ids=[uuid4() for _index in range(600)], seen=session)
    assert len(session["audit.history"]) == 500


def seen(*about: UUID, **options) -> list[str]:
    return [entry.why for entry in entries_about(*about, **options).entries]


def test_who_has_seen_a_file_counts_the_lists_that_showed_it_latest_first() -> None:
    dossier, document, other = uuid4(), uuid4(), uuid4()
    actions.record(actor=NURSE, action="dossier.read", about=dossier, why="1")
    actions.record_list(actor=NURSE, action="dashboard", ids=[other, dossier])
    actions.record(actor=NURSE, action="document.read", about=document, why="3")
    actions.record(actor=NURSE, action="dossier.read", about=other, why="autre")
    assert seen(dossier) == ["", "1"]
    assert seen(dossier, document) == ["3", "", "1"]
    assert seen(dossier, document, actions=["document.read"]) == ["3"]


def test_pages_follow_by_key_and_show_each_entry_once() -> None:
    dossier = uuid4()
    for index in range(5):
        actions.record(actor=NURSE, action="dossier.read", about=dossier, why=str(index))
    found, older = [], None
    for _page in range(3):
        page = entries_about(dossier, before=older, size=2)
        found += [entry.why for entry in page.entries]
        older = page.older
        actions.record(actor=NURSE, action="dossier.read", about=dossier, why="entre-temps")
    assert (found, older) == (["4", "3", "2", "1", "0"], None)


def test_a_page_that_is_just_full_is_the_last() -> None:
    dossier = uuid4()
    for _index in range(2):
        actions.record(actor=NURSE, action="dossier.read", about=dossier)
    assert entries_about(dossier, size=2).older is None


def test_the_entries_of_a_patient() -> None:
    patient = uuid4()
    actions.record(actor=NURSE, action="dossier.read", about=uuid4(), patient_id=patient)
    actions.record(actor=NURSE, action="dossier.read", about=uuid4(), patient_id=uuid4())
    assert len(entries_of_patient(patient).entries) == 1


def test_one_query_a_page() -> None:
    dossier = uuid4()
    for _index in range(3):
        actions.record(actor=NURSE, action="dossier.read", about=dossier)
    with CaptureQueriesContext(connection) as queries:
        entries_about(dossier)
    assert len(queries) == 1


@whole
def act(*, inside: str = "", fails: bool = False) -> None:
    actions.record(actor=NURSE, action="outer")
    if inside:
        with contextlib.suppress(ValueError), transaction.atomic():
            act_within(inside, fails=fails)


@whole
def act_within(name: str, *, fails: bool) -> None:
    actions.record(actor=NURSE, action=name)
    if fails:
        raise ValueError(name)


def traces() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("action", flat=True))


def test_the_traces_of_an_action_and_of_those_within_it_are_one_statement() -> None:
    with CaptureQueriesContext(connection) as caught:
        act(inside="inner")
    assert sum("INSERT" in one["sql"] for one in caught) == 1
    assert traces() == ["outer", "inner"]


def test_what_was_undone_inside_an_action_leaves_no_trace() -> None:
    act(inside="undone", fails=True)
    actions.record(actor=NURSE, action="afterwards")
    assert traces() == ["outer", "afterwards"]
