"""The printed opinion holds what the law asks of each act (CSP R6316-3 and R6316-4, domain.md §2.3)."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from relais.accounts.testing import actor_for, make_establishment, make_practitioner
from relais.core.errors import Refused
from relais.core.testing.pdfs import text_of
from relais.dossiers.models import Document
from relais.expertise.actions import answering, drafting, meeting
from relais.expertise.models import Expertise, Opinion
from relais.expertise.testing import ASKED, COVID, make_asked, make_pool, make_response, opinion_page
from relais.files.actions import read
from relais.files.tests import make
from relais.patients.testing import make_patient
from relais.questionnaires.models import Response
from relais.questionnaires.queries import current
from relais.rooms import actions as rooms
from relais.rooms.models import Room

pytestmark = pytest.mark.django_db
SENT = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)  # 14:05 in Paris
INS = {
    "ins": "295109912611193", "ins_oid": "1.2.250.1.213.1.4.10", "identity_status": "QUAL", "birth_place": "99126",
    "birth_date": date(1995, 10, 3),
}  # fmt: skip


def printed(opinion):
    return " ".join(text_of(read(opinion.document.file)).split())


@pytest.mark.req("TE-01")
def test_who_what_when_by_which_means_and_with_whose_agreement_stand_in_it():
    scene = make_asked(
        state="prise-en-charge", sent_at=SENT, taken_at=SENT + timedelta(minutes=20), asked_as="astreinte",
        patient=make_patient("Zola", "Jeanne", **INS),
    )  # fmt: skip
    drafting.attach(actor=scene.asker, asked=scene.asked, upload=make.pdf(), title="ECG de ce matin")
    said = {"tr__incident": ["Image figée pendant deux minutes."], "tr__suivi": ["2026-12-01"]}
    opinion = answering.answer(
        actor=scene.doctor, asked=scene.asked, page=opinion_page(**said), now=SENT + timedelta(hours=1)
    )
    expert, asker = scene.expert.user, scene.requester.user
    text = printed(opinion)
    for words in (
        "ZOLA", "Jeanne", "03/10/1995", "99126 (code INSEE)", "2 95 10 99 126 111 93",
        expert.full_name, expert.rpps, scene.service.name, scene.service.phone, scene.service.establishment.finess,
        asker.full_name, scene.requester.establishment.name, "Astreinte gériatrique",
        "Télé-expertise (avis)", "20/11/2026 à 14:05", "20/11/2026 à 14:25", "20/11/2026 à 15:05",
        "Plateforme Relais, échange écrit", "EHPAD", "Information du patient Oui", "ECG de ce matin",
        "Faut-il hospitaliser", "Chute hier, somnolente", "aucune connue", "Hématome peu probable.",
        "Surveillance deux fois par jour.", "Maintien sur place", "01/12/2026", "Incident technique",
        "Image figée pendant deux minutes.", scene.asked.dossier.reference, opinion.digest[:8],
    ):  # fmt: skip
        assert words in text, words
    assert "Autres participants" not in text


@pytest.mark.req("TE-04")
def test_all_that_the_covid_form_said_stands_in_it():
    scene = make_asked(state="prise-en-charge", form="tle-covid")
    answers = {
        **ASKED, **COVID, "tc.test": ["positif"], "tc.test.date": ["2026-11-18"], "tc.facteurs": ["rf.diabete"],
        "tc.ttt": ["corticoides"], "tg.poids": [54.5], "tg.autonomie": ["gir12"],
    }  # fmt: skip
    old = scene.asked.response
    kept = Response.objects.create(
        questionnaire=current("tle-covid"), about=old.about, answers=answers, voice=old.voice, relation=old.relation,
        actor_kind=old.actor_kind, user_id=old.user_id, establishment_id=old.establishment_id, started_at=SENT,
        ended_at=SENT, received_at=SENT, request_key=uuid4(),
    )  # fmt: skip
    Expertise.objects.update(response=kept)
    text = printed(answering.answer(actor=scene.doctor, asked=scene.again(), page=opinion_page()))
    for words in (
        "Confirmé", "Positif", "18/11/2026", "Toux", "Diabète", "Oxygène disponible sur place : Non", "Corticoïdes",
        "Soins maximaux", "Directives anticipées : Non", "En chambre", "Maintien sur place avec conseils", "54,5",
        "GIR 1 ou 2",
    ):  # fmt: skip
        assert words in text, words


def test_a_character_that_cannot_be_printed_in_the_question_keeps_no_expert_from_signing():
    scene = make_asked(state="prise-en-charge")
    Expertise.objects.update(
        response=make_response(scene.asked.dossier, scene.requester, **{"tg.question": ["Hospitaliser 😀 ?"]})
    )
    drafting.attach(actor=scene.asker, asked=scene.again(), upload=make.pdf(), title="ECG 漢")
    with pytest.raises(Refused, match="« 😀 »"):
        answering.answer(actor=scene.doctor, asked=scene.again(), page=opinion_page(tr__conclusion=["Non 😀"]))
    text = printed(answering.answer(actor=scene.doctor, asked=scene.again(), page=opinion_page()))
    for words in ("Hospitaliser □ ?", "ECG □", "□ : caractère qui ne s’imprime pas"):
        assert words in text, words


@pytest.mark.req("TE-01")
def test_others_who_took_part_are_named():
    """Whoever gave the first opinion, and who was in the room beside expert and requester."""
    scene = make_asked(state="prise-en-charge")
    answering.answer(actor=scene.doctor, asked=scene.asked, page=opinion_page())
    second = make_practitioner(make_establishment("Institut"), family_name="Deux")
    colleague = make_practitioner(scene.requester.establishment, family_name="Passant")
    pool = make_pool(second, name="Neurologie")
    answering.second_opinion(actor=scene.asker, asked=scene.asked, service_id=pool.pk)
    answering.take(actor=actor_for(second), asked=scene.asked)
    answering.to_visio(actor=actor_for(second), asked=scene.again())
    for member in (second, scene.requester, colleague):
        meeting.join(actor=actor_for(member), asked=scene.again())
        rooms.join(actor=actor_for(member), room=Room.objects.get())
    page = opinion_page(tr__visio=[True], tr__visio__duree=[12])
    text = printed(answering.answer(actor=actor_for(second), asked=scene.again(), page=page))
    for words in (
        "Second avis", f"{scene.expert.user.full_name}, {scene.service.name} (avis n° 1)",
        f"{colleague.user.full_name} (visioconférence)", "échange écrit et visioconférence", "12 min",
    ):  # fmt: skip
        assert words in text, words
    assert f"{second.user.full_name} (visioconférence)" not in text
    assert (Opinion.objects.count(), Document.objects.count()) == (2, 2)
