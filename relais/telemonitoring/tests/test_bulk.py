"""Inclusion from a CSV file: what is read, what is shown, what is written, and nothing twice (EC-02, EC-15, EC-18)."""

import csv
import io
import json
import threading
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from relais.accounts.models import Role
from relais.accounts.testing import actor_for, client_of, make_establishment, make_member, make_practitioner
from relais.audit.models import Entry
from relais.core.errors import NotFound, Refused
from relais.core.reading import MOST_BYTES
from relais.notifications.models import Message
from relais.patients.identity import key_of
from relais.patients.models import Grant, Patient
from relais.patients.testing import make_patient
from relais.telemonitoring import bulk as reading
from relais.telemonitoring import messages, tasks
from relais.telemonitoring.actions import bulk, states
from relais.telemonitoring.models import Cell, FollowUp
from relais.telemonitoring.testing import make_cell

pytestmark = pytest.mark.django_db
NAMES = [("Aubry", "Inès"), ("Lemaire", "Zoé"), ("Quentin", "Paul"), ("Barbosa", "Élise")]
PAGE = "/suivi/inclure/fichier/"


@pytest.fixture(autouse=True)
def demo(settings):
    """Rules that nobody approved open a cell in a demonstration region alone."""
    settings.DEMO = True


@pytest.fixture
def place():
    """A cell with its doctor."""
    return make_cell()


def person(number=1, **changes):
    """A line without a fault."""
    day = timezone.localdate() - timedelta(days=2)
    family, given = NAMES[number]
    return {
        "nom_naissance": family, "prenoms": given, "date_naissance": "14/07/1958", "sexe": "F",
        "email": f"zoe{number}@exemple.test", "telephone": "06 39 98 00 42", "statut": "confirme", "test": "RT-PCR",
        "resultat": "positif", "symptomes": "oui", "j0": day.strftime("%d/%m/%Y"), "facteurs": "diabete | Cardio",
        "oxymetre": "oui", "thermometre": "non", "seul": "non", "isolement": "oui", "autonomie": "oui",
        "consignes_remises": "oui", "information_donnee": "oui", "recueillie_aupres": "patient", **changes,
    }  # fmt: skip


def written(*people, delimiter=";", encoding="utf-8"):
    out = io.StringIO()
    writer = csv.DictWriter(
        out, list(dict.fromkeys(name for one in people for name in one)), delimiter=delimiter, extrasaction="ignore"
    )
    writer.writeheader()
    writer.writerows(people)
    return out.getvalue().encode(encoding)


def previewed(member, data):
    return client_of(member).post(PAGE, {"file": SimpleUploadedFile("a.csv", data)})


def kept(member, page, cell, **choices):
    return client_of(member).post(
        PAGE, {"garder": "1", "file_handle": page.context["handle"], "cellule": str(cell.pk), **choices}
    )


@pytest.mark.req("EC-02", "EC-15", "EC-18")
@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), (",", "cp1252")])
def test_the_good_lines_are_included_and_the_wrong_ones_say_where_and_what_to_do(place, delimiter, encoding):
    cell, doctor = place
    home = person(
        2, statut="sortie", date_sortie="20/11/2026", oxygene_sortie="non", date_naissance="01/02/1990", grossesse="non"
    )
    wrong = person(3, sexe="?", telephone="12", resultat="peut-être", facteurs="diabete|inconnu")
    page = previewed(doctor, written(person(1), home, wrong, delimiter=delimiter, encoding=encoding))
    assert page.status_code == 200, page.context.get("error")
    assert (page.context["ready"], page.context["wrong"]) == (2, 1), page.context["faults"]
    faults = {fault.column: fault for _one, fault in page.context["faults"]}
    assert set(faults) == {"sexe", "telephone", "resultat", "facteurs"}
    assert {fault.line for fault in faults.values()} == {4}
    assert "Écrivez M, F ou I." in page.content.decode()
    assert not FollowUp.objects.exists()
    assert not Patient.objects.exists()
    done = kept(doctor, page, cell)
    assert done["Location"] == f"/suivi/?cellule={cell.pk}"
    first, second = FollowUp.objects.order_by("dossier__patient__birth_family_name")
    assert (first.status, first.rhythm, first.facts.get("diabetes")) == ("confirme", "renforce", True)
    assert first.equipment == ["oxymetre"]
    assert set(first.factors) == {"rf.diabete", "rf.cardio", "rf.age65"}
    assert (second.status, second.dossier.patient.given_name) == ("sortie", "Paul")
    assert first.inclusion.answers["inc.test"] == ["rtpcr"]
    assert first.dossier.establishment == cell.establishment
    assert client_of(doctor).get(f"/suivi/{first.pk}/").status_code == 200
    assert "LEMAIRE" in client_of(doctor).get("/suivi/").content.decode()


def test_each_person_of_a_file_leaves_the_traces_of_a_single_inclusion(place):
    cell, doctor = place
    bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=written(person(1), person(2)), choices={})
    for follow_up in FollowUp.objects.select_related("dossier"):
        entries = Entry.objects.filter(patient_id=follow_up.dossier.patient_id)
        assert sorted(entries.values_list("action", flat=True)) == [
            "care.grant", "care.grant", "dossier.created", "grant.open", "patient.create",
        ]  # fmt: skip
        one = entries.get(action="dossier.created")
        assert (one.about, one.user_id, one.establishment_id) == (follow_up.pk, doctor.user_id, cell.establishment_id)
        assert (one.roles, one.ids, one.actor_kind) == (["practitioner"], [], "professional")
        assert timezone.now() - one.at < timedelta(minutes=5)


def test_their_way_in_is_made_and_sent_once(place):
    cell, doctor = place
    bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=written(person(1)), choices={})
    follow_up, grant = FollowUp.objects.get(), Grant.objects.get()
    assert (grant.about, grant.email, grant.mobile) == (follow_up.pk, "zoe1@exemple.test", "+33639980042")
    assert not Message.objects.exists()
    assert bulk.let_in(follow_up_id=follow_up.pk) is True
    assert bulk.let_in(follow_up_id=follow_up.pk) is False
    assert sorted(Message.objects.values_list("type", flat=True)) == ["follow_up.access", "follow_up.password"]
    assert Grant.objects.get().password_hash.startswith("argon2") or not Grant.objects.get().password_hash.startswith(
        "!"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT args FROM procrastinate_jobs WHERE task_name = %s", [bulk.SEND])
        assert [json.loads(args)["follow_up_ids"] for (args,) in cursor.fetchall()] == [[str(follow_up.pk)]]


def test_one_way_in_that_cannot_be_made_keeps_nobody_else_out(place, monkeypatch):
    cell, doctor = place
    bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=written(person(1), person(2)), choices={})
    first, second = FollowUp.objects.order_by("pk").values_list("pk", flat=True)
    send = messages.send_access

    def broken(follow_up, *rest):
        if follow_up.pk == first:
            raise RuntimeError("no gateway")
        send(follow_up, *rest)

    monkeypatch.setattr(messages, "send_access", broken)
    with pytest.raises(ExceptionGroup):
        tasks.let_in.func([str(first), str(second)])
    assert set(Message.objects.values_list("about", flat=True)) == {second}


@pytest.mark.req("EC-02")
def test_the_same_file_sent_again_follows_nobody_twice(place):
    cell, doctor = place
    data = written(person(1), person(2), person(1, prenoms="Marguerite"), person(2))
    page = previewed(doctor, data)
    assert [(one.number, one.repeats) for one in page.context["repeated"]] == [(5, 3)]
    assert kept(doctor, page, cell).status_code == 302
    assert kept(doctor, page, cell).status_code == 422, "the file is gone once it was written"
    again = previewed(doctor, data)
    assert (again.context["ready"], again.context["followed_count"]) == (0, 3)
    assert "Rien à inclure" in again.content.decode()
    done = bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=data, choices={4: bulk.ANOTHER})
    assert (done.made, done.already) == (0, 4)
    assert FollowUp.objects.count() == Patient.objects.count() == 3


def test_what_is_left_of_a_file_is_said_in_the_right_number(place):
    cell, doctor = place
    for wrong, words in (([3], "corrigez-la"), ([2, 3], "corrigez-les")):
        page = previewed(doctor, written(person(1), *[person(number, sexe="?") for number in wrong]))
        client = client_of(doctor)
        data = {"garder": "1", "file_handle": page.context["handle"], "cellule": str(cell.pk)}
        assert words in client.post(PAGE, data, follow=True).content.decode()


def test_every_line_of_a_full_file_can_be_a_choice(place):
    cell, doctor = place
    page = previewed(doctor, written(person(1)))
    choices = {f"ligne-{number}": "" for number in range(2, reading.MOST_LINES + 2)}
    assert kept(doctor, page, cell, **choices).status_code == 302


def test_who_was_closed_by_mistake_is_included_again_by_the_same_file(place):
    """On the same day, too, and as often as that happens."""
    cell, doctor = place
    data = written(person(1))
    for number in (1, 2, 3):
        done = bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=data, choices={})
        assert (done.made, done.already, FollowUp.objects.count()) == (1, 0, number)
        follow_up = FollowUp.objects.exclude(state="closed").get()
        states.close(actor=actor_for(doctor), follow_up=follow_up, why="inclusion-erreur-doublon")
    assert Patient.objects.count() == 1


def test_people_known_already_are_proposed_and_nobody_decides_for_them(place):
    cell, doctor = place
    same = make_patient("Lemaire", "Zoé", seen_by=cell.establishment, birth_date=date(1958, 7, 14))
    near = make_patient("Quentin", "Paul", seen_by=cell.establishment, birth_date=None)
    other = make_patient("Barbosa", "Élise", birth_date=date(1958, 7, 14))
    data = written(person(1), person(2), person(3))
    page = previewed(doctor, data)
    assert [one.known for one in page.context["known"]] == [same]
    assert [[each.patient for each in one.proposals] for one in page.context["choose"]] == [[near]]
    assert other.full_name not in page.content.decode(), "somebody else's patient is not told"
    assert kept(doctor, page, cell, **{"ligne-3": str(other.pk)}).status_code == 404
    assert kept(doctor, page, cell, **{"ligne-3": ""}).status_code == 302
    assert FollowUp.objects.filter(dossier__patient=same).count() == 1
    assert FollowUp.objects.count() == 2
    again = previewed(doctor, data)
    kept(doctor, again, cell, **{"ligne-3": str(near.pk)})
    assert FollowUp.objects.filter(dossier__patient=near).exists()
    assert not FollowUp.objects.filter(dossier__patient=other).exists()


INS, SISTER = (number + key_of(number) for number in ("2580375126111", "2580375126112"))
INS_OID = "1.2.250.1.213.1.4.10"


@pytest.mark.parametrize(
    ("written_of_her", "changes", "state"),
    [
        ({}, {}, "ready"),
        ({}, {"prenoms": "Zoé Marie"}, "ready"),
        ({}, {"prenoms": "Lise"}, "wrong"),  # the matricule of her twin, copied by mistake
        ({}, {"nom_naissance": "Martin"}, "wrong"),
        ({"used_family_name": "Martin"}, {"nom_naissance": "Martin"}, "ready"),
        ({}, {"date_naissance": "15/07/1958"}, "wrong"),
        ({}, {"matricule_ins": SISTER}, "new"),  # the same names and birth date, another person
        ({"ins": "", "ins_oid": ""}, {"matricule_ins": SISTER}, "ready"),
        ({"ins": "", "ins_oid": "", "sex": "M"}, {"matricule_ins": ""}, "choose"),
    ],
)
def test_a_line_is_somebody_known_when_nothing_says_otherwise(place, written_of_her, changes, state):
    cell, doctor = place
    her = {"birth_date": date(1958, 7, 14), "ins": INS, "ins_oid": INS_OID, **written_of_her}
    known = make_patient("Lemaire", "Zoé", seen_by=cell.establishment, **her)
    page = previewed(doctor, written(person(1, **{"matricule_ins": INS, **changes})))
    found = {"ready": (1, 0), "wrong": (0, 1), "new": (1, 0), "choose": (0, 0)}
    assert (page.context["ready"], page.context["wrong"]) == found[state], page.context["faults"]
    assert all("d’une personne" in fault.message for _one, fault in page.context["faults"])
    assert [one.known for one in page.context["known"]] == ([known] if state == "ready" else [])
    assert len(page.context["choose"]) == (state == "choose")
    if state == "new":
        twice = previewed(doctor, written(person(1, matricule_ins=INS), person(1, matricule_ins=SISTER)))
        assert (twice.context["ready"], twice.context["repeated"]) == (2, []), "two matricules are two people"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choisissez un fichier|vide"),
        (b"  \r\n ", "vide"),
        (b"PK\x03\x04 sheet", "n’est pas un CSV"),
        (b"\xd0\xcf\x11\xe0 old", "n’est pas un CSV"),
        ("nom;prénom\nA;B".encode("utf-16"), "illisibles"),
        (b"nom_naissance;prenoms\nA\0;B", "illisibles"),
        (written(person(1, nom_naissance="André", prenoms="Anne"), encoding="mac-roman"), "illisibles"),
        (written(person(1, nom_naissance="Éric", prenoms="Anne"), encoding="mac-roman"), "illisibles"),
        (written(person(1, nom_naissance="Molière", prenoms="Anne"), encoding="cp850"), "illisibles"),
        (b"nom;prenom;age\nA;B;3", "n’a pas les colonnes nom_naissance"),
        (written(person(1)).split(b"\r\n")[0], "aucune personne"),
        (written(person(1, commentaire="x")), "Colonnes inconnues ou répétées dans la première ligne : commentaire"),
        (written(person(1)) * 1 + b"x" * MOST_BYTES, "1 Mo"),
        (written(*[person(1)] * 1001), "plus de 1 000 lignes"),
        (written(person(1, nom_repondant="x" * 140_000)), "La ligne 2 ne se lit pas"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_sentence(place, data, words):
    page = previewed(place[1], data)
    assert page.status_code == 422
    assert any(word in page.content.decode() for word in words.split("|")), page.context["error"]


def test_formulas_are_text_cells_out_of_place_are_told_and_comments_are_left(place):
    cell, doctor = place
    formula = person(1, qui_repond="proche", nom_repondant='=HYPERLINK("x")')
    bad = person(2, nom_naissance="=1+1", qui_repond="", nom_repondant="")
    data = written(formula, bad) + b"# une note;;\r\n" + b";".join([b"a"] * 4) + b"\r\n"
    page = previewed(doctor, data)
    assert page.context["ready"] == 1
    faults = [(fault.line, fault.column) for _one, fault in page.context["faults"]]
    assert (3, "nom_naissance") in faults
    assert any(line == 5 for line, _column in faults)
    kept(doctor, page, cell)
    assert Grant.objects.get().holder_name == '=HYPERLINK("x")'


def test_the_model_is_read_once_its_example_is_uncommented(place):
    _cell, doctor = place
    answer = client_of(doctor).get(PAGE + "modele.csv")
    assert "attachment" in answer["Content-Disposition"]
    text = answer.content.decode("utf-8-sig")
    assert previewed(doctor, answer.content).status_code == 422, "nobody is included by the model alone"
    lines = text.replace("02/11/2026", timezone.localdate().strftime("%d/%m/%Y")).splitlines()
    page = previewed(doctor, "\n".join([lines[0], lines[2].removeprefix("# ")]).encode())
    assert page.context["ready"] == 1, page.context["faults"]


@pytest.mark.req("EC-02")
def test_nobody_else_includes_from_a_file(place):
    cell, doctor = place
    for role in (Role.SECRETARY, Role.MANAGER):
        assert previewed(make_member(cell.establishment, role), written(person(1))).status_code == 404
    page = previewed(doctor, written(person(1)))
    thief = make_member(cell.establishment, Role.CAREGIVER)
    assert kept(thief, page, cell).status_code == 422, "a file belongs to who sent it"
    stranger = make_practitioner(make_establishment("Ailleurs"))
    with pytest.raises(NotFound):
        bulk.enrol_many(actor=actor_for(stranger), cell_id=cell.pk, data=written(person(1)), choices={})
    assert not FollowUp.objects.exists()


def test_no_cell_follows_on_rules_that_nobody_approved(place, settings):
    settings.DEMO = False
    cell, doctor = place
    with pytest.raises(Refused, match="approuvées"):
        bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=written(person(1)), choices={})


@pytest.mark.django_db(transaction=True)
def test_two_people_who_send_one_file_at_once_follow_everybody_once():
    cell, doctor = make_cell()
    actor, data, found = actor_for(doctor), written(person(1), person(2)), []
    start = threading.Barrier(2)

    def send():
        try:
            start.wait(60)
            found.append(bulk.enrol_many(actor=actor, cell_id=cell.pk, data=data, choices={}).made)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _each in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(found) == [0, 2]
    assert FollowUp.objects.count() == Patient.objects.count() == 2


@pytest.mark.req("EC-14", "EC-15")
def test_a_regional_cell_that_takes_others_patients_is_open_to_every_establishment(place):
    own, doctor = place
    regional, far = make_cell()
    data = written(person(1))
    with pytest.raises(NotFound):
        bulk.enrol_many(actor=actor_for(doctor), cell_id=regional.pk, data=data, choices={})
    Cell.objects.filter(pk=regional.pk).update(kind="regional", accepts_others=True)
    bulk.enrol_many(actor=actor_for(doctor), cell_id=regional.pk, data=data, choices={})
    follow_up = FollowUp.objects.get()
    assert (follow_up.cell, follow_up.dossier.establishment) == (regional, own.establishment)
    for who in (doctor, far, make_practitioner(regional.establishment)):
        assert client_of(who).get(f"/suivi/{follow_up.pk}/").status_code == 200
    assert (
        client_of(make_practitioner(make_establishment("Ailleurs"))).get(f"/suivi/{follow_up.pk}/").status_code == 404
    )


@pytest.mark.req("EC-14")
def test_patients_go_to_the_cell_that_was_chosen_or_to_none(place):
    """It stopped to take patients of others between the preview and the press: one's own cell does not get them."""
    _own, doctor = place
    regional, _far = make_cell(accepts_others=True)
    page = previewed(doctor, written(person(1)))
    Cell.objects.filter(pk=regional.pk).update(accepts_others=False)
    refused = kept(doctor, page, regional)
    assert (refused.status_code, FollowUp.objects.count()) == (422, 0)
    assert "ne prend plus de patients ici" in refused.content.decode()


@pytest.mark.req("EC-14", "EC-15")
def test_who_entrusts_a_file_to_another_cell_comes_back_to_a_page_they_see(place):
    _own, doctor = place
    regional, _far = make_cell(accepts_others=True)
    done = kept(doctor, previewed(doctor, written(person(1))), regional)
    assert client_of(doctor).get(done["Location"]).status_code == 200
    assert FollowUp.objects.get().cell == regional


def test_a_file_of_three_takes_as_many_statements_as_one(place):
    cell, doctor = place
    counts = []
    for people in ([person(0)], [person(1), person(2), person(3)]):
        with CaptureQueriesContext(connection) as found:
            bulk.enrol_many(actor=actor_for(doctor), cell_id=cell.pk, data=written(*people), choices={})
        counts.append(len(found))
    assert counts[0] == counts[1] < 40
