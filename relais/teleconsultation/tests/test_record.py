"""The record: documents, report, prescription, closing (TC-20, TC-23 … TC-26, TC-44 … TC-55)."""

import io
import threading
from datetime import timedelta
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner, sign_in
from relais.audit.models import Entry
from relais.dossiers.models import Document
from relais.notifications.models import Message, OneTimeCode
from relais.patients.testing import make_patient
from relais.rooms.models import Room
from relais.teleconsultation.actions import record
from relais.teleconsultation.models import ReportDraft
from relais.teleconsultation.testing import make_tele

pytestmark = pytest.mark.django_db


def png(name="photo.png"):

    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), "image/png")


@pytest.fixture
def scene():
    return make_tele(
        patient=make_patient("Zéphyrin"), state="in_call", grant_fields={"phone": "+33639981234"},
    )  # fmt: skip


@pytest.fixture
def seen(scene, client):
    return sign_in(client, scene.practitioner)


def url(name, scene, *args):
    return reverse(f"teleconsultation:{name}", args=[scene.tele.pk, *args])


def write(seen, scene, **texts):
    return seen.post(
        url("add_report", scene),
        {f"text-{key}": text for key, text in texts.items()}
        | {f"version-{key}": "0" for key in texts}
        | {"shared": "on"},
    )


def told(type_="tele.document"):
    return {one.channel for one in Message.objects.filter(type=type_)}


@pytest.mark.req("TC-20", "TC-23")
def test_the_row_opens_the_teledossier_with_the_data_of_the_appointment(scene, seen):
    page = seen.get(url("dossier", scene)).content.decode()
    for part in ("ZÉPHYRIN", scene.tele.dossier.reference, "Consultation", scene.practitioner.user.full_name):
        assert part in page
    assert f'href="{url("dossier", scene)}"' in seen.get("/teleconsultation/").content.decode()


def test_opening_it_leaves_a_trace(scene, seen):
    seen.get(url("dossier", scene))
    entry = Entry.objects.get(action="dossier.read", about=scene.tele.pk)
    assert (entry.user_id, entry.patient_id) == (scene.practitioner.user_id, scene.patient.pk)


@pytest.mark.req("TC-26", "TC-45")
@pytest.mark.parametrize("role", [Role.PRACTITIONER, Role.CAREGIVER])
@pytest.mark.parametrize("state", ["planned", "in_call", "done"])
def test_practitioners_and_caregivers_add_documents_while_planning_and_after(role, state):
    scene = make_tele(state=state)
    member = make_member(scene.practitioner.establishment, role)
    browser = client_of(member)
    browser.post(url("add_document", scene), {"file": png(), "title": "Plaie du talon"})
    document = Document.objects.get()
    assert (document.title, document.author, document.shared_at) == ("Plaie du talon", member.user, None)
    assert "Plaie du talon" in browser.get(url("dossier", scene)).content.decode()


def test_a_secretary_never_sees_clinical_content(scene, seen):
    seen.post(url("add_document", scene), {"file": png(), "title": "Radiographie"})
    seen.post(url("add_note", scene), {"text": "Fièvre depuis hier"})
    secretary = client_of(make_member(scene.practitioner.establishment, Role.SECRETARY))
    page = secretary.get(url("dossier", scene)).content.decode()
    assert "Radiographie" not in page
    assert "Fièvre" not in page
    assert "réservés aux soignants" in page
    document = Document.objects.get()
    assert secretary.get(reverse("teleconsultation:document", args=[document.pk])).status_code == 404
    assert secretary.post(url("add_document", scene), {"file": png()}).status_code == 404


def test_another_establishment_gets_404_everywhere(scene, seen):
    seen.post(url("add_document", scene), {"file": png(), "title": "Radiographie"})
    document = Document.objects.get()
    stranger = client_of(make_practitioner(make_establishment("Ailleurs")))
    assert stranger.get(url("dossier", scene)).status_code == 404
    assert stranger.get(reverse("teleconsultation:document", args=[document.pk])).status_code == 404
    assert stranger.post(url("add_report", scene), {"text-conclusion": "x"}).status_code == 404


@pytest.mark.req("TC-46", "TC-47", "TC-48")
def test_a_shared_report_is_told_by_mail_and_sms(scene, seen):
    answer = write(seen, scene, findings="Examen rassurant", conclusion="Pas de signe de gravité")
    assert answer.status_code == 302
    document = Document.objects.get(kind="report")
    assert document.shared_at is not None
    assert document.step.kind == "report"
    assert told() == {"email", "sms"}
    served = seen.get(reverse("teleconsultation:document", args=[document.pk]))
    assert b"".join(served.streaming_content).startswith(b"%PDF")


@pytest.mark.req("TC-47")
def test_an_unticked_report_is_invisible_to_the_patient_and_not_told(scene, seen):
    seen.post(url("add_report", scene), {"text-conclusion": "Pour l’équipe", "version-conclusion": "0"})
    assert Document.objects.get(kind="report").shared_at is None
    assert told() == set()


def test_an_empty_report_is_refused_and_nothing_ends(scene, seen):
    answer = write(seen, scene, conclusion="  ")
    assert answer.status_code == 422
    assert "est vide" in answer.content.decode()
    scene.tele.refresh_from_db()
    assert scene.tele.state == "in_call"


@pytest.mark.req("TC-54", "TC-07", "TC-44")
def test_adding_the_report_ends_the_room_for_both(scene, seen):
    write(seen, scene, conclusion="Terminé")
    scene.tele.refresh_from_db()
    assert scene.tele.state == "done"
    assert Room.objects.get(about=scene.tele.pk).ended_at is not None


@pytest.mark.req("TC-54")
def test_a_draft_never_ends_the_room(scene, seen):
    answer = seen.post(url("save_section", scene), {"key": "conclusion", "text": "En cours", "version": "0"})
    assert answer.json() == {"version": 1}
    scene.tele.refresh_from_db()
    assert scene.tele.state == "in_call"
    assert "En cours" in seen.get(url("report", scene)).content.decode()


@pytest.mark.req("TC-54")
def test_the_warning_names_who_is_still_inside(scene, seen):
    with mock.patch("relais.rooms.queries.who_is_inside", return_value=["Zéphyrin Durand"]):
        assert "Zéphyrin Durand" in seen.get(url("report", scene)).content.decode()


def test_two_editors_see_each_other_and_lose_nothing(scene, seen):
    """The second to save gets the other's text instead of writing over it."""
    seen.post(url("save_section", scene), {"key": "findings", "text": "Texte de Claire", "version": "0"})
    other = client_of(make_practitioner(scene.practitioner.establishment, family_name="Petit"))
    answer = other.post(url("save_section", scene), {"key": "findings", "text": "Texte de Petit", "version": "0"})
    assert answer.status_code == 409
    assert answer.json() == {"text": "Texte de Claire", "version": 1, "by": scene.practitioner.user.full_name}
    both = other.post(url("save_section", scene), {"key": "findings", "text": "Les deux", "version": "1"})
    assert both.json() == {"version": 2}
    assert ReportDraft.objects.get().sections["findings"]["text"] == "Les deux"


def test_a_corrected_report_replaces_the_first_and_both_stay(scene, seen):
    write(seen, scene, conclusion="Première version")
    write(seen, scene, conclusion="Seconde version")
    first, second = Document.objects.filter(kind="report").order_by("created_at")
    assert second.replaces == first
    assert second.title == "Compte-rendu, version 2"


# Prescriptions


def code_step(seen, scene, channel="email"):
    """Ask for the code; which digits were sent."""
    with mock.patch("relais.notifications.actions.codes.secrets.randbelow", return_value=123456):
        seen.post(url("prescription", scene), {"channel": channel})
    return "123456"


def line(**changes):
    return {
        "lignes-TOTAL_FORMS": "1", "lignes-INITIAL_FORMS": "0", "lignes-MIN_NUM_FORMS": "0", "lignes-MAX_NUM_FORMS": "12",
        "lignes-0-dci": "paracétamol", "lignes-0-dosage": "500 mg", "lignes-0-form": "comprimé", "lignes-0-route": "orale",
        "lignes-0-dose": "2", "lignes-0-per_day": "3", "lignes-0-days": "5", "channel": "sms",
        **{f"lignes-0-{name}": value for name, value in changes.items()},
    }  # fmt: skip


@pytest.mark.req("TC-50")
def test_without_the_code_no_prescription_is_taken(scene, seen):
    answer = seen.post(url("write_prescription", scene), line())
    assert answer.status_code == 302
    assert answer.url == url("prescription", scene)
    assert not Document.objects.filter(kind="prescription").exists()


@pytest.mark.req("TC-49", "TC-50", "TC-52", "TC-53", "TC-54")
def test_code_then_lines_then_sent(scene, seen):
    """The code opens; the prescription is filed as PDF, shared, told by the one chosen channel, and the room ends."""
    digits = code_step(seen, scene)
    seen.post(url("prescription_code", scene), {"code": digits})
    answer = seen.post(url("write_prescription", scene), line())
    assert answer.status_code == 302
    document = Document.objects.get(kind="prescription")
    assert document.shared_at is not None
    assert told() == {"sms"}
    scene.tele.refresh_from_db()
    assert scene.tele.state == "done"
    served = seen.get(reverse("teleconsultation:document", args=[document.pk]))
    assert b"".join(served.streaming_content).startswith(b"%PDF")
    assert "attachment" in served.headers["Content-Disposition"]


def test_the_practitioners_own_code_is_no_message_to_the_patient(scene, seen):
    code_step(seen, scene)
    assert Message.objects.filter(type="notifications.code").exists()
    assert "Code à usage unique" not in seen.get(url("dossier", scene)).content.decode()


@pytest.mark.req("TC-49")
def test_several_prescriptions_at_once(scene, seen):
    seen.post(url("prescription_code", scene), {"code": code_step(seen, scene)})
    seen.post(url("write_prescription", scene), {**line(), "file": [png("une.png"), png("deux.png")]})
    assert Document.objects.filter(kind="prescription").count() == 3


@pytest.mark.req("TC-50")
def test_a_wrong_code_is_refused(scene, seen):
    code_step(seen, scene)
    answer = seen.post(url("prescription_code", scene), {"code": "000000"})
    assert answer.status_code == 422
    assert seen.post(url("write_prescription", scene), line()).url == url("prescription", scene)


@pytest.mark.req("TC-51")
@pytest.mark.parametrize(("seconds", "good"), [(300, True), (301, False)])
def test_the_code_lives_five_minutes(scene, seen, seconds, good):
    digits = code_step(seen, scene)
    sent_at = OneTimeCode.objects.get().expires_at - timedelta(minutes=5)
    with mock.patch.object(timezone, "now", return_value=sent_at + timedelta(seconds=seconds)):
        answer = seen.post(url("prescription_code", scene), {"code": digits})
    assert (answer.status_code == 302) is good


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dose": "", "per_day": ""}, "posologie"),
        ({"days": ""}, "durée"),
        ({"dci": "zolpidem", "dosage": "10 mg", "dose": "1", "per_day": "1", "days": "60"}, ""),
    ],
)
def test_a_prescription_against_the_rules_is_refused_with_a_sentence(scene, seen, change, words):
    seen.post(url("prescription_code", scene), {"code": code_step(seen, scene)})
    answer = seen.post(url("write_prescription", scene), {**line(**change), "confirmed": "on"})
    assert answer.status_code == 422
    assert answer.context["blocked"]
    assert words in answer.content.decode()
    assert not Document.objects.exists()


def test_what_lacks_in_the_identity_is_mended_in_a_new_window(scene, seen):
    link = f'href="{reverse("patients:correct", args=[scene.patient.pk])}" target="_blank"'
    seen.post(url("prescription_code", scene), {"code": code_step(seen, scene)})
    answer = seen.post(url("write_prescription", scene), line(days=""))
    assert link not in answer.content.decode()
    type(scene.patient).objects.update(birth_date=None)
    answer = seen.post(url("write_prescription", scene), line())
    assert answer.status_code == 422
    assert "La date de naissance du patient manque : complétez son identité." in answer.content.decode()
    assert answer.content.decode().count(link) == 1
    assert not Document.objects.exists()


def test_only_the_practitioner_of_the_appointment_prescribes(scene):
    other = client_of(make_practitioner(scene.practitioner.establishment))
    assert other.get(url("prescription", scene)).status_code == 404
    nurse = client_of(make_member(scene.practitioner.establishment, Role.CAREGIVER))
    assert nurse.get(url("prescription", scene)).status_code == 404


# Closing, and after


@pytest.mark.req("TC-55")
def test_closing_makes_it_read_only_but_for_an_addendum():
    scene = make_tele(state="done")
    seen = client_of(scene.practitioner)
    seen.post(url("verb", scene, "close"))
    scene.tele.refresh_from_db()
    scene.tele.dossier.refresh_from_db()
    assert (scene.tele.state, scene.tele.dossier.phase) == ("closed", "closed")
    seen.post(url("add_document", scene), {"file": png()})
    seen.post(url("add_note", scene), {"text": "Trop tard"})
    assert write(seen, scene, conclusion="Trop tard").status_code == 422
    assert not Document.objects.exists()
    assert scene.tele.dossier.notes.count() == 0
    seen.post(url("add_note", scene), {"text": "Résultat reçu ensuite", "addendum": "1"})
    assert scene.tele.dossier.steps.get(kind="addendum").data == {"text": "Résultat reçu ensuite"}


@pytest.mark.req("TC-55")
def test_one_that_was_not_held_cannot_be_closed():
    scene = make_tele(state="planned")
    client_of(scene.practitioner).post(url("verb", scene, "close"))
    scene.tele.refresh_from_db()
    assert scene.tele.state == "planned"


def test_a_draft_in_writing_stops_the_closing():
    scene = make_tele(state="done")
    seen = client_of(scene.practitioner)
    seen.post(url("save_section", scene), {"key": "conclusion", "text": "En cours", "version": "0"})
    seen.post(url("verb", scene, "close"))
    scene.tele.refresh_from_db()
    assert scene.tele.state == "done"


def test_a_document_of_the_wrong_patient_is_withdrawn_even_after_closing(scene, seen):
    seen.post(url("add_document", scene), {"file": png(), "title": "Erreur", "shared": "on"})
    document = Document.objects.get()
    away = reverse("teleconsultation:document_verb", args=[document.pk, "retirer"])
    seen.post(away, {"why": ""})
    document.refresh_from_db()
    assert document.withdrawn_at is None
    seen.post(away, {"why": "Mauvais patient"})
    document.refresh_from_db()
    assert document.withdrawn_why == "Mauvais patient"
    assert seen.get(reverse("teleconsultation:document", args=[document.pk])).status_code == 404
    assert document.file.sealed_at is not None or document.file.__class__.objects.get(pk=document.file_id).sealed_at


def test_sharing_and_hiding_a_document(scene, seen):
    seen.post(url("add_document", scene), {"file": png()})
    document = Document.objects.get()
    seen.post(reverse("teleconsultation:document_verb", args=[document.pk, "partager"]))
    document.refresh_from_db()
    assert document.shared_at is not None
    assert told() == {"email", "sms"}
    seen.post(reverse("teleconsultation:document_verb", args=[document.pk, "masquer"]))
    document.refresh_from_db()
    assert document.shared_at is None


def test_who_has_seen_this_file(scene, seen):
    nurse = make_member(scene.practitioner.establishment, Role.CAREGIVER, family_name="Infirmière")
    client_of(nurse).get(url("dossier", scene))
    page = seen.get(url("readers", scene)).content.decode()
    assert "Infirmière" in page


@pytest.mark.django_db(transaction=True)
def test_closing_and_adding_at_once_never_leaves_a_document_in_a_closed_dossier_unseen():
    """Either the document came first, or it is refused."""
    scene = make_tele(state="done")
    actor = actor_for(scene.practitioner)
    gate = threading.Barrier(2)
    refused = []

    def run(act):
        gate.wait(timeout=60)
        try:
            act()
        except Exception as error:  # noqa: BLE001 (what it is does not matter, that it is told does)
            refused.append(type(error).__name__)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=[lambda: record.close(actor=actor, tele=scene.tele)]),
        threading.Thread(
            target=run,
            args=[lambda: record.add_document(actor=actor, tele=scene.tele, upload=png(), title="", shared=False)],
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    scene.tele.dossier.refresh_from_db()
    assert scene.tele.dossier.phase == "closed"
    assert Document.objects.count() == (0 if refused else 1)
    assert set(refused) <= {"Refused"}
