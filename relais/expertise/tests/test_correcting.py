"""A signed opinion is corrected by a version that replaces it; what was signed stays (domain.md §2.3)."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.core.errors import NotFound, Refused
from relais.core.testing.pdfs import text_of
from relais.core.testing.races import at_once
from relais.core.times import stamp
from relais.dossiers.testing import of, read_bundle
from relais.expertise.actions import answering, correcting, keeping
from relais.expertise.models import Opinion
from relais.expertise.queries.figures import figures
from relais.expertise.testing import ANSWER, make_asked, make_pool, opinion_page, posted
from relais.files.actions import read
from relais.notifications.models import Message
from relais.oncall.models import PoolMember
from relais.oncall.testing import join

pytestmark = pytest.mark.django_db
WHY = "Dose corrigée : 5 mg et non 50 mg."
CORRECTED = {**ANSWER, "tr.cat": ["Donner 5 mg le soir."]}


def signed(**fields):
    """A request that its expert has answered, and the opinion."""
    scene = make_asked(state="prise-en-charge", **fields)
    return scene, answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())


def url(opinion):
    return f"/expertise/avis/{opinion.pk}/corriger/"


def page_of(member, scene):
    return client_of(member).get(f"/expertise/{scene.asked.pk}/").content.decode()


def correct(scene, opinion, why=WHY, **answers):
    return correcting.correct(
        actor=actor_for(scene.expert), asked=scene.again(), opinion=opinion, page=opinion_page(**answers), why=why
    )


def printed(opinion):
    return " ".join(text_of(read(opinion.document.file)).split())


@pytest.mark.req("TE-01")
def test_who_signed_corrects_it_with_a_reason_and_the_former_version_stays_readable():
    scene, first = signed()
    browser = client_of(scene.expert)
    assert url(first) in page_of(scene.expert, scene)
    form = browser.get(url(first)).content.decode()
    assert "Surveillance deux fois par jour." in form, "filled in with what it says"
    empty = browser.post(url(first), posted(CORRECTED))
    assert empty.status_code == 422
    for words in ("Donner 5 mg le soir.", 'aria-invalid="true"'):
        assert words in empty.content.decode(), words
    said = posted(CORRECTED, why=WHY)
    for _click in range(2):
        assert browser.post(url(first), said)["Location"] == f"/expertise/{scene.asked.pk}/"
    second = Opinion.objects.get(replaces=first)
    assert (second.number, second.version, second.reason, second.asked_at) == (1, 2, WHY, first.asked_at)
    page = page_of(scene.requester, scene)
    for words in (
        "Donner 5 mg le soir.", "Surveillance deux fois par jour.", WHY, "Remplace la version 1, signée",
        "1 version remplacée", "<del>Version 1</del>", "Remplacé<", first.digest, second.digest, "Avis corrigé :",
    ):  # fmt: skip
        assert words in page, words
    for one in (first, second):
        answer = client_of(scene.requester).get(f"/expertise/document/{one.document_id}/")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    text = printed(second)
    for words in (
        "Avis de télé-expertise, version 2", f"Cet avis remplace la version 1 du {stamp(first.signed_at)}.",
        f"Motif : {WHY}", "Donner 5 mg le soir.", f"Rendue le {stamp(first.signed_at)}",
        f"Corrigée le {stamp(second.signed_at)} (version 2)",
    ):  # fmt: skip
        assert words in text, words
    assert "remplace" not in printed(first)


def test_the_other_side_is_told_without_a_clinical_word_and_sees_it_unread():
    scene, first = signed()
    page_of(scene.requester, scene)
    Message.objects.all().delete()
    correct(scene, first)
    told = Message.objects.get()
    assert (told.type, told.holder_id) == ("expertise.corrected", scene.requester.user_id)
    assert set(told.context) == {"given_name", "link"}
    assert "Non lu" in client_of(scene.requester).get("/expertise/?liste=demandes").content.decode()
    assert "Avis corrigé et signé de nouveau" in page_of(scene.requester, scene)
    assert "Non lu" not in page_of(scene.expert, scene)


def test_nobody_else_corrects_an_opinion():
    scene, first = signed()
    colleague = make_practitioner(scene.expert.establishment)
    join(scene.service, colleague)
    nurse = make_member(scene.requester.establishment, Role.CAREGIVER)
    for who, status in ((colleague, 404), (scene.requester, 404), (make_practitioner(), 404), (nurse, 403)):
        assert client_of(who).get(url(first)).status_code in (status, 404)
        assert client_of(who).post(url(first), posted(CORRECTED, why=WHY)).status_code in (status, 404)
    for who in (colleague, scene.requester):
        assert "Corriger l’avis</a>" not in page_of(who, scene)
    with pytest.raises(NotFound):
        correcting.correct(actor=actor_for(colleague), asked=scene.again(), opinion=first, page=opinion_page(), why=WHY)
    PoolMember.objects.filter(user=scene.expert.user).update(until=timezone.now())
    assert client_of(scene.expert).post(url(first), posted(CORRECTED, why=WHY)).status_code == 404
    assert Opinion.objects.get() == first


def test_once_closed_an_opinion_is_corrected_no_more_and_what_was_typed_comes_back():
    scene, first = signed()
    keeping.close(actor=scene.asker, asked=scene.again(), recourse="evite")
    browser = client_of(scene.expert)
    assert "Corriger l’avis</a>" not in page_of(scene.expert, scene)
    assert browser.get(url(first))["Location"] == f"/expertise/{scene.asked.pk}/"
    late = browser.post(url(first), posted(CORRECTED, why=WHY))
    assert late.status_code == 422
    for words in ("Ce dossier est clôturé : ajoutez-y un complément daté", "Donner 5 mg le soir.", WHY):
        assert words in late.content.decode(), words
    assert Opinion.objects.get() == first
    added = browser.post(f"/expertise/{scene.asked.pk}/note/", {"text": "5 mg et non 50.", "addendum": "1"})
    assert added.status_code == 302


def test_a_page_that_another_tab_overtook_is_refused_with_a_sentence_and_keeps_its_text():
    scene, first = signed()
    second = correct(scene, first)
    browser = client_of(scene.expert)
    late = browser.post(url(first), posted(CORRECTED, why="Autre motif."))
    assert late.status_code == 422
    for words in ("Cet avis a déjà été corrigé", "relisez sa version 2", "Donner 5 mg le soir.", "Autre motif."):
        assert words in late.content.decode(), words
    assert browser.get(url(first)).status_code == 302
    third = correct(scene, second, why="Encore.")
    assert (third.version, third.replaces, Opinion.objects.count()) == (3, second, 3)
    assert "2 versions remplacées" in page_of(scene.requester, scene)
    assert "version 2 du" in printed(third)


@pytest.mark.django_db(transaction=True)
def test_of_two_corrections_in_the_same_second_one_is_signed():
    scene, first = signed()
    found = at_once(*(partial(correct, scene, first, why=why) for why in ("Une.", "Deux.")))
    (refused,) = [one for one in found if isinstance(one, Refused)]
    assert "a déjà été corrigé" in refused.message
    assert Opinion.objects.filter(replaces=first).count() == 1


def test_what_was_signed_is_never_changed_nor_deleted():
    _scene, first = signed()
    for act in (partial(Opinion.objects.update, digest="0" * 64), first.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    Opinion.objects.update(passed_on=True)


@pytest.mark.req("TE-03")
def test_figures_count_a_corrected_request_once_with_its_first_delay():
    at = timezone.now() - timedelta(hours=5)
    scene = make_asked(state="prise-en-charge", sent_at=at)
    first = answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page(), now=at + timedelta(minutes=30))
    answered = scene.again().answered_at
    correct(scene, first, tr__orientation=["had"])
    manager = make_member(scene.expert.establishment, Role.MANAGER)
    (line,) = figures(actor_for(manager), days=30, now=timezone.now())
    assert (line.answered, line.median, scene.again().answered_at) == (1, timedelta(minutes=30), answered)
    assert (line.outcomes["had"], line.outcomes["maintien"]) == (1, 0)


def test_a_new_date_to_look_again_comes_back_and_the_same_one_stays_set_aside():
    today = timezone.localdate()
    scene = make_asked(state="prise-en-charge")
    page = opinion_page(tr__suivi=[today.isoformat()])
    first = answering.answer(actor=scene.doctor, asked=scene.asked, page=page)
    keeping.set_review_aside(actor=scene.asker, asked=scene.again())
    second = correct(scene, first, tr__suivi=[today.isoformat()])
    assert scene.again().reviewed_at
    later = today + timedelta(days=9)
    third = correct(scene, second, tr__suivi=[later.isoformat()])
    assert (scene.again().review_on, scene.again().reviewed_at) == (later, None)
    correct(scene, third)
    assert scene.again().review_on is None


@pytest.mark.req("TE-01")
def test_the_first_opinion_is_corrected_while_a_second_one_is_awaited_or_given():
    scene, first = signed()
    other = make_practitioner(make_establishment("Institut"), family_name="Deux")
    pool = make_pool(other, name="Neurologie")
    answering.second_opinion(actor=scene.asker, asked=scene.again(), service_id=pool.pk)
    answering.take(actor=actor_for(other), asked=scene.again())
    second = correct(scene, first)
    told = Message.objects.filter(type="expertise.corrected").values_list("holder_id", flat=True)
    assert set(told) == {scene.requester.user_id, other.user_id}
    text = printed(second)
    assert scene.service.name in text
    assert "Neurologie" not in text
    given = answering.answer(actor=actor_for(other), asked=scene.again(), page=opinion_page(tr__orientation=["had"]))
    assert (given.number, given.version) == (2, 1)
    assert f"{scene.expert.user.full_name}, {scene.service.name} (avis n° 1)" in printed(given)
    third = correct(scene, second)
    assert scene.again().orientation == "had", "of the last opinion"
    assert "(avis n° 2)" in printed(third)
    assert "(avis n° 1)" not in printed(third)
    with pytest.raises(Refused, match="Deux avis"):
        answering.second_opinion(actor=scene.asker, asked=scene.again(), service_id=make_pool().pk)


def test_a_withdrawn_pdf_is_said_beside_the_opinion_that_stays():
    scene, first = signed()
    keeping.withdraw(actor=scene.doctor, asked=scene.again(), document=first.document, why="Nom tronqué")
    page = page_of(scene.requester, scene)
    assert "Le PDF de cet avis a été retiré" in page
    assert "Nom tronqué" in page
    correct(scene, first)
    assert "Le PDF de cet avis a été retiré" in page_of(scene.requester, scene)


def test_a_correction_leaves_as_fhir_and_replaces_the_former_document():
    scene, first = signed()
    second = correct(scene, first)
    found = read_bundle(client_of(scene.requester).get(f"/expertise/{scene.asked.pk}/fhir.json"))
    before, after = (found[f"DocumentReference/{one.document_id}"] for one in (first, second))
    assert (before["status"], after["status"]) == ("superseded", "current")
    target = {"reference": f"DocumentReference/{first.document_id}"}
    assert after["relatesTo"] == [{"code": "replaces", "target": target}]
    assert f"QuestionnaireResponse/{first.response_id}" not in found
    assert found[f"QuestionnaireResponse/{second.response_id}"]["status"] == "amended"
    assert WHY in [one["payload"][0]["contentString"] for one in of(found, "Communication")]


def test_the_care_circle_of_the_patient_is_named_for_who_passes_the_opinion_on():
    scene = make_asked(state="prise-en-charge")
    doctor, gone = make_practitioner(family_name="Traitant"), make_practitioner(family_name="Partie")
    for member, until in ((doctor, None), (gone, timezone.now()), (scene.requester, None)):
        scene.patient.care_links.create(user_id=member.user_id, basis="circle", until=until)
    text = printed(answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page()))
    told = text.upper().split("À TRANSMETTRE AU CERCLE DE SOINS")[1]
    assert "TRAITANT" in told
    assert "PARTIE" not in told
    assert scene.requester.user.full_name.upper() not in told
