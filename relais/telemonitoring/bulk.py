"""Reading a CSV file of inclusions: columns, lines, and a sentence for each thing that is wrong. Pure: no table."""

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from relais.core.errors import Refused
from relais.core.reading import read_text
from relais.patients.models import Holder
from relais.patients.queries.search import fold
from relais.questionnaires.form import Form
from relais.telemonitoring import inclusion

MOST_LINES = 1_000
LONGEST = 300  # characters of a cell
COMMENT = "#"  # a line that begins so is an explanation


@dataclass(frozen=True)
class Column:
    """One column: its name in the first line, the question that it answers ("": about the person) and what to write."""

    name: str
    question: str
    help: Any
    example: str = ""
    required: bool = False


YES_NO = _l("oui ou non")
DAY = _l("jour, par exemple 03/11/2026")
COLUMNS = (
    Column("nom_naissance", "", _l("nom de naissance"), "Durand", required=True),
    Column("prenoms", "", _l("prénoms de naissance"), "Camille", required=True),
    Column("date_naissance", "", DAY, "14/07/1958", required=True),
    Column("sexe", "", _l("M, F ou I"), "F", required=True),
    Column("email", "", _l("adresse où part le lien (ou un mobile)"), "camille@exemple.test"),
    Column("telephone", "", _l("mobile où part le lien (ou une adresse)"), "06 39 98 00 01"),
    Column("matricule_ins", "", _l("15 chiffres, si vous l’avez")),
    Column("qui_repond", "", _l("patient (si vide), parent, tuteur, proche ou soignant"), "patient"),
    Column("nom_repondant", "", _l("son nom, si ce n’est pas le patient")),
    Column("statut", "inc.statut", "", "confirme", required=True),
    Column("test", "inc.test", "", "rtpcr", required=True),
    Column("date_prelevement", "inc.test.date", DAY, "03/11/2026"),
    Column("resultat", "inc.test.resultat", "", "positif", required=True),
    Column("symptomes", "inc.symptomes", YES_NO, "oui", required=True),
    Column("j0", "inc.j0", _l("jour des premiers symptômes"), "02/11/2026", required=True),
    Column("dernier_contact", "inc.exposition", _l("pour une personne-contact : jour du dernier contact à risque")),
    Column("date_sortie", "inc.sortie.date", _l("pour une sortie d’hospitalisation : jour de la sortie")),
    Column("oxygene_sortie", "inc.sortie.o2", _l("pour une sortie : oxygène à domicile, oui ou non")),
    Column("poids", "inc.poids", _l("en kg"), "70"),
    Column("taille", "inc.taille", _l("en cm"), "168"),
    Column("facteurs", "rf", _l("codes séparés par une barre |"), "diabete | cardio"),
    Column("oxymetre", "inc.oxymetre", YES_NO, "oui", required=True),
    Column("thermometre", "inc.thermometre", YES_NO, "oui", required=True),
    Column("grossesse", "inc.grossesse", _l("pour une femme de 12 à 55 ans :"), "non"),
    Column("seul", "inc.seul", _l("vit seul : oui ou non"), "non", required=True),
    Column("isolement", "inc.isolement", "", "oui", required=True),
    Column("autonomie", "inc.autonomie", _l("répond sans aide : oui ou non"), "oui", required=True),
    Column("rythme", "inc.rythme", _l("proposé par le site si vide :")),
    Column("consignes_remises", "inc.consigne", _l("oui (obligatoire)"), "oui", required=True),
    Column("information_donnee", "inc.info", _l("oui (obligatoire) : information donnée, pas d’opposition"), "oui", required=True),
    Column("recueillie_aupres", "inc.info.qui", "", "patient", required=True),
)  # fmt: skip
BY_NAME = {fold(one.name): one for one in COLUMNS}
QUESTIONS = {one.name: one.question for one in COLUMNS}
BY_QUESTION = {one.question: one.name for one in COLUMNS if one.question}
HOLDERS = {
    "": Holder.SELF, "patient": Holder.SELF, "parent": Holder.PARENT, "tuteur": Holder.GUARDIAN,
    "proche": Holder.FAMILY, "soignant": Holder.CAREGIVER,
}  # fmt: skip
FACTORS = {fold(name.removeprefix("rf.")): name for name in (*inclusion.VERY_HIGH, *inclusion.HIGH, *inclusion.OTHER)}
_known_codes: dict[tuple[str, str, str], dict[str, str]] = {}


@dataclass(frozen=True)
class Fault:
    """What is wrong in one cell: the sentence says what to do and never quotes what was written."""

    line: int
    column: str
    message: str


@dataclass(frozen=True)
class Line:
    """One line of the file as it was written: `number` as a spreadsheet counts it."""

    number: int
    cells: dict[str, str]
    faults: list[Fault] = field(default_factory=list)

    def wrong(self, column: str, message: str) -> None:
        self.faults.append(Fault(self.number, column, message))


def model(form: Form) -> str:
    """The file to start from: the columns, then what each takes and an example, as lines that are not read."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([one.name for one in COLUMNS])
    for row in ([words(form, one) for one in COLUMNS], [one.example for one in COLUMNS]):
        writer.writerow([f"{COMMENT} {row[0]}", *row[1:]])
    return "\ufeff" + out.getvalue()


def words(form: Form, column: Column) -> str:
    """What a cell of the column takes, with the codes of its question."""
    if column.question == "rf":
        return f"{column.help} : {', '.join(FACTORS)}"
    options = form.by_id[column.question].options if column.question else ()
    return f"{column.help} {', '.join(one.code for one in options)}".strip()


def read(data: bytes) -> list[Line]:
    """The lines of a file in UTF-8 or Windows' alphabet (cp1252), cells apart by `;` or `,`; empty ones are left out.

    Raises Refused for what is no such file: empty, too large, of another kind, columns missing or unknown.
    """
    text = read_text(
        data,
        wanted=_("Ce fichier n’est pas un CSV. Dans le tableur, choisissez « Enregistrer sous » puis « CSV »."),
    )
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("sep=")), "")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") >= first.count(",") else ",")
    header: list[Column] | None = None
    found: list[Line] = []
    number = 0
    try:
        for number, cells in enumerate(rows, 1):
            if not any(cell.strip() for cell in cells) or (header is None and cells[0].startswith("sep=")):
                continue
            if header is None:
                header = _header(cells)
            elif not cells[0].lstrip().startswith(COMMENT):
                found.append(_line(number, header, cells))
            if len(found) > MOST_LINES:
                raise Refused(
                    _("Ce fichier compte plus de 1 000 lignes : envoyez-le en plusieurs fichiers."), field="file"
                )
    except csv.Error:
        raise Refused(
            _("La ligne %(line)d ne se lit pas : vérifiez ses guillemets.") % {"line": number + 1}, field="file"
        ) from None
    if not found:
        raise Refused(_("Ce fichier ne contient aucune personne : ajoutez une ligne par patient."), field="file")
    return found


def _header(cells: list[str]) -> list[Column]:
    names = [fold(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    unknown = [cell.strip()[:40] for cell, name in zip(cells, names, strict=False) if name not in BY_NAME]
    missing = [one.name for key, one in BY_NAME.items() if one.required and key not in names]
    if missing:
        count = len(missing)
        raise Refused(
            ngettext("La première ligne n’a pas la colonne %(names)s.", "La première ligne n’a pas les colonnes %(names)s.", count)
            % {"names": ", ".join(missing)} + " " + _("Partez du modèle à télécharger."),
            field="file",
        )  # fmt: skip
    if unknown or len(set(names)) < len(names):
        twice = sorted({one.name for one in BY_NAME.values() if names.count(fold(one.name)) > 1})
        raise Refused(
            _("Colonnes inconnues ou répétées dans la première ligne : %(names)s. Retirez-les, ou partez du modèle.")
            % {"names": ", ".join([*unknown, *twice])[:200]},
            field="file",
        )
    return [BY_NAME[name] for name in names]


def _line(number: int, header: list[Column], cells: list[str]) -> Line:
    line = Line(number, {one.name: cell.strip() for one, cell in zip(header, cells, strict=False)})
    if any(cell.strip() for cell in cells[len(header) :]) or len(cells) < len(header):
        line.wrong(
            header[min(len(cells), len(header)) - 1].name,
            _("%(found)d cellules au lieu de %(wanted)d : vérifiez les séparateurs de cette ligne.")
            % {"found": len(cells), "wanted": len(header)},
        )
    for name, cell in line.cells.items():
        if len(cell) > LONGEST:
            line.wrong(name, _("Trop long : 300 caractères au plus."))
    return line


def answers_of(line: Line, form: Form) -> dict[str, list[Any]]:
    """What the line answers to the inclusion form; codes and their words are both read. Faults go to the line."""
    found: dict[str, list[Any]] = {}
    for name, cell in line.cells.items():
        question = QUESTIONS[name]
        if not cell or not question:
            continue
        if question == "rf":
            found |= _factors(line, cell)
        else:
            codes = _codes(form, question)
            found[question] = [codes.get(fold(cell), cell) if codes else cell]
    return found


def _codes(form: Form, question: str) -> dict[str, str]:
    """The codes of a question by what may be written for them, worked out once: a version of a form never changes."""
    key = form.name, form.version, question
    if key not in _known_codes:
        options = form.by_id[question].options
        _known_codes[key] = {fold(word): one.code for one in options for word in (one.code, one.label)}
    return _known_codes[key]


def _factors(line: Line, cell: str) -> dict[str, list[Any]]:
    given = [fold(one) for one in cell.replace(",", "|").split("|") if one.strip()]
    if unknown := [one for one in given if one not in FACTORS]:
        line.wrong(
            "facteurs",
            ngettext("%(n)d code inconnu.", "%(n)d codes inconnus.", len(unknown)) % {"n": len(unknown)}
            + " " + _("Codes possibles : %(codes)s.") % {"codes": ", ".join(FACTORS)},
        )  # fmt: skip
    return {FACTORS[one]: [True] for one in given if one in FACTORS}
