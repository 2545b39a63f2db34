"""A rota from a calendar or a CSV file: what is wrong said line by line, nothing written before, twice changes nothing."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from relais.accounts.testing import client_of, make_member
from relais.core.errors import Refused
from relais.core.paris import PARIS
from relais.oncall import calendars, lines
from relais.oncall.models import OnCallSlot
from relais.oncall.testing import join, make_pool, make_service

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def paris(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=PARIS)


def ics(*events: str) -> bytes:
    bodies = "".join(f"BEGIN:VEVENT\r\n{one}\r\nEND:VEVENT\r\n" for one in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//FR\r\n{bodies}END:VCALENDAR\r\n".encode()


def read(*events: str, hours: tuple[time, time] = (time(8), time(19))) -> list[lines.Line]:
    return calendars.read(ics(*events), opens=hours[0], closes=hours[1], now=NOW)


def lengths(found: list[lines.Line]) -> list[float]:
    return [(one.ends_at - one.starts_at).total_seconds() / 3600 for one in found if one.starts_at and one.ends_at]


NIGHTS = "DTSTART;TZID=Europe/Paris:{day}T190000\r\nDTEND;TZID=Europe/Paris:{next}T080000\r\nSUMMARY:Dr Albert"


def test_a_night_that_repeats_is_one_hour_shorter_in_spring_and_longer_in_autumn() -> None:
    """The hours are those of a clock on the wall: 19:00 to 08:00 each night, whatever the clocks do."""
    spring = read(NIGHTS.format(day="20260327", next="20260328") + "\r\nRRULE:FREQ=DAILY;COUNT=3")
    autumn = read(NIGHTS.format(day="20261023", next="20261024") + "\r\nRRULE:FREQ=DAILY;UNTIL=20261025T180000Z")
    assert (lengths(spring), lengths(autumn)) == ([13, 12, 13], [13, 14, 13])
    assert {one.starts_at.astimezone(PARIS).hour for one in (*spring, *autumn)} == {19}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("DTSTART:20260310T070000Z\r\nDTEND:20260310T180000Z", [(2026, 3, 10, 8, 11)]),
        ("DTSTART:20260310T080000\r\nDURATION:PT11H", [(2026, 3, 10, 8, 11)]),
        ("DTSTART;TZID=America/New_York:20260310T040000\r\nDTEND;TZID=America/New_York:20260310T150000", [(2026, 3, 10, 9, 11)]),
        ("DTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260312", [(2026, 3, 10, 8, 11), (2026, 3, 11, 8, 11)]),
        (
            "DTSTART;TZID=Europe/Paris:20260310T080000\r\nDTEND;TZID=Europe/Paris:20260310T190000\r\n"
            "RRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;TZID=Europe/Paris:20260317T080000",
            [(2026, 3, 10, 8, 11), (2026, 3, 24, 8, 11)],
        ),
    ],
)  # fmt: skip
def test_each_way_of_writing_hours_is_read(event: str, expected: list[tuple[int, ...]]) -> None:
    """In UTC, floating (Paris), in another zone, by day (the hours of the service), with a day left out."""
    found = [
        (*one.starts_at.astimezone(PARIS).timetuple()[:4], (one.ends_at - one.starts_at).total_seconds() / 3600)
        for one in read(event + "\r\nSUMMARY:Dr Albert")
    ]
    assert found == expected


def test_an_occurrence_that_was_moved_is_read_once_and_one_that_was_cancelled_not_at_all() -> None:
    hours = (
        "DTSTART;TZID=Europe/Paris:{0}T080000\r\nDTEND;TZID=Europe/Paris:{0}T190000\r\nUID:a\r\nSUMMARY:Dr Albert\r\n"
    )
    found = read(
        hours.format("20260310") + "RRULE:FREQ=DAILY;COUNT=4",
        hours.format("20260320") + "RECURRENCE-ID;TZID=Europe/Paris:20260311T080000",
        hours.format("20260312") + "RECURRENCE-ID;TZID=Europe/Paris:20260312T080000\r\nSTATUS:CANCELLED",
    )
    assert [one.starts_at.day for one in found] == [10, 13, 20]


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("SUMMARY:x", "n’a pas de début : donnez-lui un jour"),
        ("DTSTART:20260310T080000", "n’a pas de fin : donnez-lui une heure"),
        ("DTSTART:2026031\r\nDTEND:20260310T190000", "Date illisible : corrigez-la"),
        ("DTSTART;TZID=Nowhere/Land:20260310T080000\r\nDURATION:PT1H", "Fuseau horaire inconnu"),
        ("DTSTART:20260310T080000\r\nDTEND:20260310T080000", "La fin vient avant le début"),
        ("DTSTART;VALUE=DATE:20260310\r\nDTEND:20260310T080000", "pas la même forme : donnez une heure"),
        ("DTSTART:00010310T080000\r\nDURATION:PT1H", "Date impossible"),
        ("DTSTART:20260310T080000\r\nDURATION:PT1H\r\nRRULE:FREQ=SECONDLY", "Cette répétition n’est pas possible"),
        ("DTSTART:20260310T080000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;INTERVAL=0", "Cette répétition"),
    ],
)
def test_an_event_that_is_no_slot_says_why(event: str, sentence: str) -> None:
    found = read(event)
    assert len(found) == 1
    assert sentence in found[0].problem


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "aucun événement"),
        (ics("DTSTART:20200101T080000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY", "DTSTART:20200101T180000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY"), "plus de 500 créneaux"),
        (b"BEGIN:VCALENDAR\r\nbegin", "ne se lit pas"),
    ],
)  # fmt: skip
def test_a_calendar_that_is_none_or_too_long_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        calendars.read(data, opens=time(8), closes=time(19), now=NOW)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "vide"),
        ("a;b\n1;2\n", "La première ligne doit nommer les colonnes"),
        ("debut;fin;medecin\n", "aucun créneau"),
        ("PK\x03\x04", "ni un calendrier ni un CSV"),
    ],
)
def test_a_csv_file_that_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        lines.read(text.encode())


def test_lines_of_a_csv_file_are_read_in_paris_time_or_say_what_is_wrong() -> None:
    found = lines.read(
        "debut;fin;medecin\n"
        "25/10/2026 19:00;08:00;Albert\n"  # the hour alone is the next morning
        "2026-03-29 02:30;2026-03-29 08:00;Albert\n"
        "demain;19:00;Albert\n"
        "31/12/9999 19:00;08:00;Albert\n"
        "01/01/0001 19:00;02/01/0001 08:00;Albert\n".encode("cp1252")
    )
    assert (found[0].starts_at, found[0].ends_at) == (paris(date(2026, 10, 25), 19), paris(date(2026, 10, 26), 8))
    assert [one.number for one in found] == [2, 3, 4, 5, 6]
    problems = ("", "n’existe pas", "illisible", "vérifiez l’année", "vérifiez l’année")
    assert all(words in one.problem for words, one in zip(problems, found, strict=True))


@pytest.fixture
def service():
    return make_service()


def sent(client: Any, service: Any, text: str, name: str = "planning.csv") -> Any:
    return client.post(f"/astreintes/{service.pk}/importer/", {"file": SimpleUploadedFile(name, text.encode())})


def confirmed(client: Any, service: Any, preview: Any) -> Any:
    handle = BeautifulSoup(preview.content, "html.parser").find("input", {"name": "file_handle"})
    fields = {"garder": "1", "file_handle": handle["value"]}
    return client.post(f"/astreintes/{service.pk}/importer/", fields, follow=True).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "ics"])
def test_a_file_is_looked_at_then_written_and_the_same_again_changes_nothing(service, kind: str) -> None:
    albert, bernard = make_pool(service, "Albert", "Bernard")
    client = client_of(make_member(service.establishment, "manager"))
    days = [timezone.localdate() + timedelta(days=ahead) for ahead in (1, 2)]
    if kind == "csv":
        text = "debut;fin;medecin;telephone;renfort\n" + "".join(
            f"{day:%d/%m/%Y} 08:00;19:00;{albert.user.email};06 39 98 00 07;Bernard\n" for day in days
        )
    else:
        text = ics(
            f"DTSTART;TZID=Europe/Paris:{days[0]:%Y%m%d}T080000\r\nDTEND;TZID=Europe/Paris:{days[0]:%Y%m%d}T190000\r\n"
            f"RRULE:FREQ=DAILY;COUNT=2\r\nSUMMARY:Astreinte Dr Albert\r\nUID:1\r\n"
            f"ATTENDEE:mailto:{albert.user.email}\r\nATTENDEE;ROLE=OPT-PARTICIPANT:mailto:{bernard.user.email}"
        ).decode()
    preview = sent(client, service, text, f"planning.{kind}")
    assert (preview.status_code, OnCallSlot.objects.count()) == (200, 0)
    assert "2 créneaux ajoutés" in confirmed(client, service, preview)
    slots = list(OnCallSlot.objects.order_by("starts_at"))
    assert [(one.user, one.backup, one.starts_at) for one in slots] == [
        (albert.user, bernard.user, paris(day, 8)) for day in days
    ]
    again = sent(client, service, text, f"planning.{kind}").content.decode()
    assert ("Rien à ajouter au planning" in again, "Déjà au planning" in again) == (True, True)
    assert OnCallSlot.objects.count() == 2


@pytest.mark.django_db
def test_each_wrong_line_says_what_to_do_and_the_others_are_kept(service) -> None:
    albert, _one, _two = make_pool(service, "Albert", "Martin", "Martin")
    client = client_of(make_member(service.establishment, "manager"))
    day = f"{timezone.localdate() + timedelta(days=3):%d/%m/%Y}"
    told = {
        f"{day} 08:00;12:00;Dr ALBERT": "",
        f"{day} 11:00;13:00;{albert.user.rpps}": "est déjà d’astreinte à ce moment-là : corrigez les heures",
        f"{day} 13:00;14:00;Inconnu": "correspond au médecin « Inconnu » : corrigez, ou ajoutez-le",
        f"{day} 14:00;15:00;Martin": "Plusieurs personnes de l’équipe portent ce nom",
        f"{day} 15:00;16:00;": "Il manque le médecin : écrivez son adresse",
        f"{day} 16:00;{day[:-4]}2099 17:00;Albert": "au plus huit jours",
        "01/01/2020 08:00;19:00;Albert": "Déjà passés",
    }
    preview = sent(client, service, "debut;fin;medecin\n" + "\n".join(told))
    page = preview.content.decode()
    assert [sentence for sentence in told.values() if sentence not in page] == []
    done = confirmed(client, service, preview)
    assert ("1 créneau ajouté" in done, "6 laissés de côté" in done, OnCallSlot.objects.count()) == (True, True, 1)


@pytest.mark.django_db
def test_only_the_referent_imports(service) -> None:
    doctor, _other = make_pool(service, "Albert", "Bernard")
    assert sent(client_of(doctor), service, "x").status_code in (403, 404)
    assert sent(client_of(make_member(None, "manager")), service, "x").status_code == 404


@pytest.mark.django_db
def test_what_names_nobody_puts_nobody_on_call(service) -> None:
    """An address or a number that matches nobody, another given name, a caregiver: refused, never the nearest name."""
    albert, _bernard = make_pool(service, "Albert", "Bernard")
    nurse = make_member(service.establishment, "caregiver", family_name="Infirmier")
    join(service, nurse)
    client = client_of(make_member(service.establishment, "manager"))
    days = [f"{timezone.localdate() + timedelta(days=ahead):%d/%m/%Y}" for ahead in range(2, 14)]
    wrong = ["albert@ailleurs.exemple.test", "89900000000", "Albert <autre@exemple.test>", "Jean Albert", "Albert Dupont",
             "Infirmier"]  # fmt: skip
    right = [
        albert.user.email.upper(),
        f"Dr Albert <{albert.user.email}>",
        albert.user.rpps,
        "Claire ALBERT",
        "Pr. Albert",
    ]
    said = "".join(f"{day} 08:00;12:00;{words}\n" for day, words in zip(days, [*wrong, *right], strict=False))
    preview = sent(client, service, "debut;fin;medecin\n" + said)
    page = preview.content.decode()
    assert page.count("Personne de l’équipe ne correspond au médecin") == len(wrong)
    assert f"{len(right)} créneaux ajoutés" in confirmed(client, service, preview)
    assert set(OnCallSlot.objects.values_list("user", flat=True)) == {albert.user_id}


@pytest.mark.django_db
def test_a_file_that_adds_more_than_is_written_at_once_says_so_before(service) -> None:
    make_pool(service, "Albert")
    client = client_of(make_member(service.establishment, "manager"))
    begins = [timezone.now().replace(minute=0) + timedelta(days=1, hours=number) for number in range(501)]
    said = "".join(f"{at:%d/%m/%Y %H:%M};{at + timedelta(minutes=30):%d/%m/%Y %H:%M};Albert\n" for at in begins)
    preview = sent(client, service, "debut;fin;medecin\n" + said)
    assert (preview.status_code, "plus de 500 créneaux" in preview.content.decode()) == (422, True)


def test_a_wrong_line_says_its_number_and_the_others_are_read() -> None:
    """A telephone that is too long; an end that falls in the hour that does not exist."""
    found = lines.read(
        b"debut;fin;medecin;telephone\n"
        b"27/03/2027 19:00;02:30;Albert;\n"
        b"28/11/2026 08:00;19:00;Albert;06 39 98 00 01 ou 06 39 98 00 02\n"
        b"29/11/2026 08:00;19:00;Albert;06 39 98 00 01\n"
    )
    assert [(one.number, bool(one.problem)) for one in found] == [(2, True), (3, True), (4, False)]
    assert ("n’existe pas" in found[0].problem, "téléphone" in found[1].problem) == (True, True)
    assert found[2].phone == "06 39 98 00 01"
