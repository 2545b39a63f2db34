"""What a file says of a rota, line by line, and the format of CSV files: pure, no table."""

import csv
import io
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from relais.core.errors import Refused
from relais.core.paris import PARIS, to_utc
from relais.core.reading import FIRST, LAST, read_text

MOST_LINES, LONGEST, PHONE_LONGEST = 1_000, 200, 20
COLUMNS = ("debut", "fin", "medecin", "telephone", "renfort", "telephone_renfort")
NEEDED = COLUMNS[:3]
EXAMPLE = ("23/11/2026 08:00", "23/11/2026 19:00", "prenom.nom@exemple.test", "06 39 98 00 01", "", "")
MOMENTS = (
    "%d/%m/%Y %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d/%m/%Y %Hh%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S",
)


@dataclass(frozen=True)
class Line:
    """One slot as a file says it: `number` is that of the line, of the event in a calendar. `problem`: why it is none."""

    number: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    doctor: str = ""
    phone: str = ""
    backup: str = ""
    backup_phone: str = ""
    problem: str = ""


def plain(text: str) -> str:
    """Words as they are compared: no accent, no case, no hyphen nor apostrophe."""
    folded = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(one for one in folded if not unicodedata.combining(one))
    return " ".join("".join(one if one.isalnum() else " " for one in letters).split())


def model() -> str:
    """The CSV file to start from."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerow(["# " + EXAMPLE[0], *EXAMPLE[1:]])
    return "\ufeff" + out.getvalue()


def read(data: bytes) -> list[Line]:
    """The lines of a CSV file in UTF-8 or Windows' alphabet, cells apart by `;` or `,`; empty ones are left out.

    Raises Refused for what is no such file: empty, too large, of another kind, columns missing or unknown.
    """
    text = decoded(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") >= first.count(",") else ",")
    header: list[str] = []
    found: list[Line] = []
    try:
        for number, cells in enumerate(rows, 1):
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if not header:
                header = _header(cells)
                continue
            found.append(_line(number, dict(zip(header, (cell.strip() for cell in cells), strict=False))))
            if len(found) > MOST_LINES:
                raise Refused(
                    _("Ce fichier compte plus de 1 000 lignes : envoyez-le en plusieurs fichiers."), field="file"
                )
    except csv.Error:
        raise Refused(_("Ce fichier ne se lit pas : vérifiez ses guillemets."), field="file") from None
    if not found:
        raise Refused(_("Ce fichier ne contient aucun créneau : ajoutez une ligne par astreinte."), field="file")
    return found


def decoded(data: bytes) -> str:
    """The text of an upload. Raises Refused for what is no text, empty or too large."""
    return read_text(
        data,
        wanted=_(
            "Ce fichier n’est ni un calendrier ni un CSV. Dans le tableur, choisissez « Enregistrer sous » puis « CSV »."
        ),
    )


def _header(cells: list[str]) -> list[str]:
    names = [plain(cell).replace(" ", "_") for cell in cells]
    while names and not names[-1]:
        names.pop()
    missing = [one for one in NEEDED if one not in names]
    unknown = [one or "?" for one in names if one not in COLUMNS]
    if missing or unknown or len(set(names)) < len(names):
        raise Refused(
            _("La première ligne doit nommer les colonnes : %(names)s. Partez du modèle à télécharger.")
            % {"names": ", ".join(COLUMNS)},
            field="file",
        )
    return names


def _line(number: int, cells: dict[str, str]) -> Line:
    if any(len(cell) > LONGEST for cell in cells.values()):
        return Line(number, problem=_("Une cellule est trop longue : 200 caractères au plus."))
    words: dict[str, Any] = {
        "doctor": cells.get("medecin", ""),
        "phone": cells.get("telephone", ""),
        "backup": cells.get("renfort", ""),
        "backup_phone": cells.get("telephone_renfort", ""),
    }
    if max(len(words["phone"]), len(words["backup_phone"])) > PHONE_LONGEST:
        return Line(number, problem=_("Un téléphone est trop long : un seul numéro, 20 caractères au plus."))
    try:
        start = _moment(cells.get("debut", ""), _("début"))
        end = _moment(_whole(cells.get("fin", ""), cells.get("debut", "")), _("fin"))
        if end <= start and len(cells.get("fin", "")) <= len("19h00"):  # the hour alone: the next day
            end = _later(end)
    except Refused as refused:
        return Line(number, problem=refused.message, **words)
    return Line(number, start, end, **words)


def _whole(end: str, start: str) -> str:
    """An end of an hour alone is on the day of the beginning."""
    return f"{start.replace('T', ' ').split(' ')[0]} {end}" if end and len(end) <= len("19h00") else end


def _later(end: datetime) -> datetime:
    local = end.astimezone(PARIS)
    return to_utc(local.date() + timedelta(days=1), local.time())


def _moment(text: str, what: str) -> datetime:
    for form in MOMENTS:
        try:
            found = datetime.strptime(text.strip(), form)  # noqa: DTZ007 (a Paris time)
        except ValueError:
            continue
        if not FIRST <= found.date() < LAST:
            raise Refused(_("Date impossible (%(what)s) : vérifiez l’année.") % {"what": what})
        return to_utc(found.date(), found.time()).astimezone(UTC)
    raise Refused(_("Date illisible (%(what)s) : écrivez-la comme 23/11/2026 08:00.") % {"what": what})
