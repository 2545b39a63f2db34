"""What bad input gets: a sentence beside the field, nothing typed lost, nothing half-written; never an error page."""

import uuid
from datetime import time, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import client_of, make_member, make_practitioner
from relais.dossiers.models import Document
from relais.patients.testing import let_in
from relais.teleconsultation.models import Absence, Opening, ReportDraft, Teleconsultation
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db
TOMORROW = timezone.localdate() + timedelta(days=1)
GARBAGE = [
    "",
    "x",
    "²",
    "9" * 5000,
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "é\U0001f468\u200d\u2695\ufe0f\u202e",
    "-1",
    "%00",
    "'",
]
JSON = {"Accept": "application/json"}


@pytest.fixture
def scene():
    return make_tele(state="in_call")


@pytest.fixture
def seen(scene):
    return client_of(scene.practitioner)


def url(name, *args):
    return reverse(f"teleconsultation:{name}", args=args)


@pytest.mark.parametrize("text", GARBAGE)
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("dashboard", ("praticien", "jour", "motif", "apres")),
        ("agenda", ("praticien", "semaine")),
        ("history", ("q", "praticien", "etat", "apres")),
        ("book", ("praticien", "creneau", "semaine", "patient")),
        ("slots", ("practitioner", "semaine")),
    ],
)
def test_an_address_with_anything_in_it_gives_a_page(seen, page, names, text):
    Opening.objects.create(
        practitioner=Teleconsultation.objects.get().practitioner, establishment=Teleconsultation.objects.get().establishment,
        weekday=0, starts=time(9), ends=time(10), minutes=20,
    )  # fmt: skip
    for name in names:
        assert seen.get(url(page), {name: text}).status_code == 200, name


@pytest.mark.parametrize("page", ["dashboard", "history", "book"])
def test_a_nul_character_is_refused_and_never_reaches_the_database(seen, page):
    name = "q" if page == "history" else "praticien"
    assert seen.get(url(page), {name: "a\0b", "apres": "a\0~b"}).status_code == 400


@pytest.mark.parametrize("text", ["", "x", "8c5e1f5e-4c0b-4f43-9f5e-6a7d0f0f6b11"])
def test_reassigning_to_nobody_says_so(text):
    scene = make_tele(starts_at=timezone.now() + timedelta(days=1))
    answer = client_of(scene.practitioner).post(url("reassign", scene.tele.pk), {"practitioner": text})
    assert answer.status_code == 409
    assert "praticien" in answer.content.decode()


def test_reassigning_to_one_who_has_another_appointment_says_so():
    scene = make_tele(starts_at=timezone.now() + timedelta(days=1))
    busy = make_tele(
        practitioner=make_practitioner(scene.practitioner.establishment), starts_at=scene.tele.starts_at
    ).practitioner
    answer = client_of(scene.practitioner).post(url("reassign", scene.tele.pk), {"practitioner": str(busy.user_id)})
    assert answer.status_code == 409
    assert "a déjà un rendez-vous à cette heure" in answer.content.decode()


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31", "2020-01-01", ""])
def test_moving_to_an_impossible_day_says_so_and_keeps_the_hour(date):
    scene = make_tele(starts_at=timezone.now() + timedelta(days=1))
    answer = client_of(scene.practitioner).post(
        url("reschedule", scene.tele.pk), {"r-date": date, "r-time": "15:17", "r-minutes": "25"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "15:17" in page
    assert 'value="25"' in page
    assert answer.context["reschedule_form"].errors


@pytest.mark.parametrize("slot", ["x~20", "2026-13-45T10:00:00Z~20", "2027-01-04T10:00:00+00:00~²", "~", "2027-01-04T10:00:00~20", "9999-12-31T23:00:00+00:00~20", "0001-01-01T00:00:00+14:00~20"])  # fmt: skip
def test_a_slot_that_is_none_gets_a_sentence(scene, seen, slot):
    answer = seen.post(
        url("book"),
        {
            "slot": slot, "practitioner": str(scene.practitioner.user_id), "family_name": "Rémi", "given_name": "Élise",
            "email": "a@exemple.test", "reason": "CONSULTATION", "holder": "self", "request_key": str(uuid.uuid4()),
        },
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Élise" in answer.content.decode()
    assert Teleconsultation.objects.count() == 1


def test_booking_with_nothing_at_all_is_a_form_with_sentences(seen):
    answer = seen.post(url("book"), {})
    assert answer.status_code == 422


@pytest.mark.parametrize("version", GARBAGE)
def test_a_version_that_is_none_loses_no_text(scene, seen, version):
    seen.post(url("save_section", scene.tele.pk), {"key": "conclusion", "text": "Texte", "version": "0"}, headers=JSON)
    answer = seen.post(
        url("save_section", scene.tele.pk), {"key": "conclusion", "text": "Autre", "version": version}, headers=JSON
    )
    assert answer.status_code == 409
    assert ReportDraft.objects.get().sections["conclusion"]["text"] == "Texte"


def test_a_text_too_long_is_refused_and_stays_in_the_page(scene, seen):
    """Nothing is cut off in silence, in the report, a note, an addendum, an incident."""
    long = "é" * 8001
    saved = seen.post(
        url("save_section", scene.tele.pk), {"key": "conclusion", "text": long, "version": "0"}, headers=JSON
    )
    assert saved.status_code == 409
    assert "8\u202f000" in saved.json()["error"]
    added = seen.post(url("add_report", scene.tele.pk), {"text-conclusion": long, "version-conclusion": "0"})
    assert added.status_code == 422
    assert long in added.content.decode()
    note = seen.post(url("add_note", scene.tele.pk), {"text": "n" * 5001})
    assert note.status_code == 422
    assert "n" * 5001 in note.content.decode()
    assert not scene.tele.dossier.notes.exists()
    incident = seen.post(url("verb", scene.tele.pk, "continue_by_phone"), {"incident": "i" * 301})
    assert incident.status_code == 409
    scene.tele.refresh_from_db()
    assert scene.tele.state == "in_call"


def test_lines_typed_on_any_system_count_alike(scene, seen):
    """8 000 characters with line ends of two characters are still 8 000."""
    text = "\r\n".join(["x" * 79] * 100)
    added = seen.post(url("add_report", scene.tele.pk), {"text-conclusion": text, "version-conclusion": "0"})
    assert added.status_code == 302


def test_an_empty_note_gets_a_sentence_beside_its_field(scene, seen):
    answer = seen.post(url("add_note", scene.tele.pk), {"text": "  "})
    assert answer.status_code == 422
    assert answer.context["note_form"].errors["text"]


def test_an_addendum_too_long_is_not_cut():
    scene = make_tele(state="closed")
    answer = client_of(scene.practitioner).post(url("add_note", scene.tele.pk), {"text": "n" * 5001, "addendum": "1"})
    assert answer.status_code == 422
    assert not scene.tele.dossier.steps.exists()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (SimpleUploadedFile("vide.pdf", b""), "vide"),
        (SimpleUploadedFile("page.pdf", b"<!doctype html><script>alert(1)</script>"), "type"),
        (None, "Choisissez un fichier"),
    ],
)
def test_a_bad_file_gets_a_sentence_beside_the_field_and_keeps_the_title(scene, seen, file, words):
    answer = seen.post(
        url("add_document", scene.tele.pk), {"title": "Radio du talon", **({"file": file} if file else {})}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Radio du talon"' in page
    assert 'id="d-file-error"' in page
    assert words in page
    assert not Document.objects.exists()


def test_a_patient_whose_file_is_bad_keeps_what_they_said_of_it(scene, client):
    browser = let_in(client, scene.grant)
    answer = browser.post(
        reverse("space:documents"), {"title": "Mon ordonnance", "file": SimpleUploadedFile("a.pdf", b"x")}
    )
    assert answer.status_code == 422
    assert 'value="Mon ordonnance"' in answer.content.decode()


def test_hours_that_cannot_be_get_a_sentence_beside_their_field(scene, seen):
    """The agenda comes back with what was typed."""
    hours = {"o-weekday": "0", "o-starts": "12:00", "o-ends": "09:00", "o-minutes": "20"}
    answer = seen.post(url("add_hours", scene.practitioner.user_id), hours)
    assert answer.status_code == 422
    assert answer.context["opening_form"].errors["ends"]
    assert 'value="12:00"' in answer.content.decode()
    for first, last in (("9999-12-31", "9999-12-31"), ("0001-01-01", "0001-01-02"), ("2026-12-26", "2026-12-24")):
        answer = seen.post(
            url("add_hours", scene.practitioner.user_id), {"a-first": first, "a-last": last, "a-label": "Congés"}
        )
        assert answer.status_code == 422, first
        assert 'value="Congés"' in answer.content.decode()
    assert not Opening.objects.exists()
    assert not Absence.objects.exists()


def test_hours_that_overlap_others_get_their_sentence_in_the_form(scene, seen):
    hours = {"o-weekday": "0", "o-starts": "09:00", "o-ends": "12:00", "o-minutes": "20"}
    assert seen.post(url("add_hours", scene.practitioner.user_id), hours).status_code == 302
    answer = seen.post(url("add_hours", scene.practitioner.user_id), {**hours, "o-starts": "11:00"})
    assert answer.status_code == 422
    assert "chevauchent" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "args", "body"),
    [
        ("verb", ["rien"], {}),
        ("verb", ["cancel"], {}),
        ("verb", ["cancel"], {"why": "x" * 9000}),
        ("verb", ["continue_by_phone"], {}),
        ("invite", [], {}),
        ("invite", [], {"g-name": "x" * 900, "g-phone": "\u202e", "g-email": "\U0001f468@x"}),
        ("contact", [], {}),
        ("contact", [], {"email": "pas une adresse", "phone": "12"}),
        ("capture", [], {"consent": "x"}),
        ("add_document", [], {}),
        ("add_report", [], {}),
        ("save_section", [], {}),
        ("prescription", [], {"channel": "pigeon"}),
        ("prescription_code", [], {}),
        ("prescription_code", [], {"code": "²²²²²²"}),
        ("write_prescription", [], {}),
    ],
)
def test_no_form_however_ill_formed_is_an_error_page(scene, seen, name, args, body):
    answer = seen.post(url(name, scene.tele.pk, *args), body)
    assert answer.status_code in (302, 404, 409, 422)
    assert Teleconsultation.objects.get().state == "in_call"


@pytest.mark.parametrize("name", ["save_section", "add_note", "add_document", "add_report"])
def test_a_nul_in_a_form_is_refused_as_a_whole(scene, seen, name):
    body = {"text": "a\0", "title": "a\0", "key": "conclusion", "text-conclusion": "a\0", "version": "0"}
    assert seen.post(url(name, scene.tele.pk), body).status_code == 400


def test_emoji_and_right_to_left_text_are_kept_as_typed(scene, seen):
    text = "Douleur \U0001f915 — שלום — مرحبا"
    seen.post(url("add_note", scene.tele.pk), {"text": text})
    assert scene.tele.dossier.notes.get().text == text
    assert text in seen.get(url("dossier", scene.tele.pk)).content.decode()


def test_a_prescription_whose_lines_are_wrong_comes_back_with_them(scene, seen):
    session = seen.session
    session[f"prescription.{scene.tele.pk}"] = timezone.now().isoformat()
    session.save()
    lines = {"lignes-TOTAL_FORMS": "1", "lignes-INITIAL_FORMS": "0", "lignes-0-dci": "amoxicilline", "lignes-0-days": "mille", "channel": "email"}  # fmt: skip
    answer = seen.post(url("write_prescription", scene.tele.pk), lines)
    assert answer.status_code == 422
    assert "amoxicilline" in answer.content.decode()
    for total in GARBAGE:
        answer = seen.post(url("write_prescription", scene.tele.pk), {**lines, "lignes-TOTAL_FORMS": total})
        assert answer.status_code == 422, total[:20]
    assert not Document.objects.exists()


def test_a_file_of_a_prescription_that_comes_back_is_still_there(scene, seen):
    """What was wrong is another field: the page carries the file on, and sends it once."""
    session = seen.session
    session[f"prescription.{scene.tele.pk}"] = timezone.now().isoformat()
    session.save()
    body = {"lignes-TOTAL_FORMS": "1", "lignes-INITIAL_FORMS": "0", "lignes-0-dci": "paracétamol", "channel": "email"}
    key = {"request_key": str(uuid.uuid4())}
    answer = seen.post(url("write_prescription", scene.tele.pk), {**body, "file": SimpleUploadedFile("a.txt", b"abc")})
    assert answer.status_code == 422
    [kept] = answer.context["files"]
    assert kept["name"] == "a.txt"
    again = {**key, "lignes-TOTAL_FORMS": "0", "lignes-INITIAL_FORMS": "0", "channel": "email"}
    for _click in range(2):
        sent = seen.post(url("write_prescription", scene.tele.pk), {**again, "file_handle": kept["handle"]})
        assert sent.status_code == 302
    assert [one.file.name for one in Document.objects.all()] == ["a.txt"]


def test_a_prescription_written_for_longer_than_the_code_lives_is_not_lost(scene, seen):
    session = seen.session
    session[f"prescription.{scene.tele.pk}"] = (timezone.now() - timedelta(minutes=15, seconds=1)).isoformat()
    session.save()
    lines = {"lignes-TOTAL_FORMS": "1", "lignes-INITIAL_FORMS": "0", "lignes-0-dci": "amoxicilline", "lignes-0-dosage": "1 g", "lignes-0-form": "comprimé", "lignes-0-route": "orale", "lignes-0-dose": "1", "lignes-0-per_day": "2", "lignes-0-days": "6", "channel": "email"}  # fmt: skip
    answer = seen.post(url("write_prescription", scene.tele.pk), lines)
    assert answer.status_code == 422
    assert "amoxicilline" in answer.content.decode()
    assert answer.context["expired"]
    assert not Document.objects.exists()


def test_the_same_report_sent_twice_is_one(scene, seen):
    body = {"text-conclusion": "Une fois\r\nseulement", "version-conclusion": "0", "shared": "on"}
    for _click in range(2):
        assert seen.post(url("add_report", scene.tele.pk), body).status_code == 302
    assert Document.objects.count() == 1


def test_a_report_that_comes_back_keeps_the_box_unticked(scene, seen):
    """Unticked means invisible to the patient: an error must not tick it again."""
    answer = seen.post(url("add_report", scene.tele.pk), {"text-conclusion": " ", "version-conclusion": "0"})
    assert answer.status_code == 422
    assert 'name="shared">' in answer.content.decode()


# The back button after closing


@pytest.fixture
def closed():
    scene = make_tele(state="closed")
    return scene, client_of(scene.practitioner)


@pytest.mark.req("TC-55")
def test_back_after_closing_the_report_comes_back_with_its_text_and_a_sentence(closed):
    scene, browser = closed
    answer = browser.post(
        url("add_report", scene.tele.pk), {"text-conclusion": "Tapé trop tard", "version-conclusion": "0"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Tapé trop tard" in page
    assert "clôturé" in page
    saved = browser.post(
        url("save_section", scene.tele.pk), {"key": "conclusion", "text": "x", "version": "0"}, headers=JSON
    )
    assert saved.status_code == 409
    assert "clôturé" in saved.json()["error"]
    assert not ReportDraft.objects.exists()


@pytest.mark.req("TC-55")
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("join", []), ("verb", ["finish"]), ("verb", ["close"]), ("verb", ["patient_absent"]), ("invite", []),
        ("prescription", []), ("prescription_code", []), ("write_prescription", []), ("add_note", []),
        ("reassign", []),
    ],
)  # fmt: skip
def test_back_after_closing_every_button_answers_with_a_sentence(closed, name, args):
    scene, browser = closed
    body = {"text": "x", "g-name": "x", "g-email": "a@exemple.test", "practitioner": str(scene.practitioner.user_id)}
    answer = browser.post(url(name, scene.tele.pk, *args), body)
    assert answer.status_code in (409, 422)
    scene.tele.refresh_from_db()
    assert scene.tele.state == "closed"


def test_a_secretary_who_types_the_address_of_a_clinical_page_gets_404_not_a_sentence(closed):
    scene, _browser = closed
    secretary = client_of(make_member(scene.practitioner.establishment, Role.SECRETARY))
    for name in ("report", "prescription", "write_prescription"):
        assert secretary.get(url(name, scene.tele.pk)).status_code == 404
