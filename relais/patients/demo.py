"""Patients of the demo region: invented people, the same for the same seed, with test matricules and fiction numbers."""

import calendar
import unicodedata
from datetime import date, timedelta
from random import Random
from typing import Any

from relais.core.demo import Region, insert, new_id
from relais.patients.identity import key_of
from relais.patients.models import Patient

TEST_OID = "1.2.250.1.213.1.4.10"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FAMILIES = _names(
    "Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux David Bertrand "
    "Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Lefèvre Faure André Mercier Blanc Guérin "
    "Boyer Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu "
    "Gautier Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière "
    "Lucas Brunet Gaillard Barbier Arnaud Martinez Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron Picard Roger "
    "Fabre Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey Leclerc Payet Rolland Leclercq "
    "Guillaume Lecomte Lopez Jean Dupuy Guillot Hubert Berger Carpentier Sanchez Dupuis Moulin Louis Deschamps Huet Vasseur "
    "Perez Boucher Fleury Royer Klein Jacquet Adam Paris Poirier Marty Aubry Guyot Carré Charles Renault Charpentier Ménard "
    "Maillard Baron Bertin Bailly Hervé Schneider Fernandez Collet Léger Bouvier Julien Prévost Millet Perrot Daniel Cousin "
    "Germain Breton Besson Langlois Rémy Weber Traoré Diallo Diarra Camara Coulibaly Cissé Keita Konaté Sylla Touré Benali "
    "Belkacem Haddad Mansouri Cherif Saïdi Bouzid Amrani Nguyễn Trần Lê Phạm Çelik Yılmaz Demir Şahin Kaya Ferreira Pereira "
    "Da-Silva Gonçalves Kowalski Nowak Popescu Ionescu O'Neil D'Arc Wang Chen Sow Ndiaye Mbaye Ba Okoye Mensah Rakoto Singh"
)
WOMEN = _names(
    "Marie Jeanne Françoise Monique Catherine Nathalie Isabelle Jacqueline Sylvie Anne Martine Nicole Christine Brigitte "
    "Valérie Sandrine Céline Sophie Véronique Chantal Patricia Aurélie Julie Camille Léa Manon Chloé Emma Inès Sarah Jade "
    "Louise Alice Lina Fatou Aminata Khadija Fatima Yasmina Samira Nadia Thị-Mai Linh Elif Zeynep Ana Maria Agnieszka Élodie "
    "Zoé Maëlle Anaïs Noémie Yvonne Simone Odette Ginette Huguette Marie-Claire Anne-Sophie Marie-Thérèse"
)
MEN = _names(
    "Jean Pierre Michel André Philippe Alain Bernard Jacques Daniel Christian Gérard Claude Patrick René Nicolas Julien "
    "Thomas Alexandre Sébastien David Éric Laurent Frédéric Stéphane Olivier Antoine Lucas Hugo Louis Gabriel Raphaël Adam "
    "Jules Noah Léo Mamadou Ibrahima Moussa Mohamed Karim Rachid Youssef Nam Minh Mehmet Emre João Paulo Piotr Andrei Liam "
    "François Loïc Gaël Robert Marcel Roger Maurice Jean-Paul Jean-Marc Pierre-Yves"
)
DEPARTMENTS = ("75", "77", "78", "91", "92", "93", "94", "95", "59", "13", "69", "33", "2A", "2B", "99")
STATUSES, STATUS_WEIGHTS = ("QUAL", "VALI", "RECUP", "PROV"), (55, 15, 10, 20)
AGES = ((0, 2), (3, 17), (18, 44), (45, 64), (65, 84), (85, 102))
AGE_WEIGHTS = (2, 7, 25, 26, 29, 11)
RESIDENT = 78  # years, from which one may be a resident who dies
SCHEMES = ("Régime général", "MSA", "CNMSS", "CAMIEG", "SNCF")

# Who the newcomer is on the demo page's telephone.
DEMO_PATIENT: dict[str, Any] = {
    "birth_family_name": "Moreau",
    "birth_given_names": "Jeanne",
    "birth_date": date(1948, 5, 17),
    "sex": "F",
    "email": "jeanne.moreau@exemple.test",
    "phone": "+33639989001",
    "synthetic": True,
}


def synthetic_patient(rng: Random, *, number: int | None = None, today: date = date(2026, 1, 1)) -> dict[str, Any]:
    """The fields of one invented patient, ready for `Patient(**fields)`.

    `number` (below 800,000) makes the matricule, the address and, modulo 10,000, the telephone of its own; left out, it is drawn.
    """
    own = rng.randrange(800_000) if number is None else number
    sex = rng.choice("FM")
    family = rng.choice(FAMILIES)
    given = [rng.choice(WOMEN if sex == "F" else MEN) for _index in range(rng.choice((1, 1, 2, 3)))]
    born = _birth_date(rng, today)
    department = rng.choice(DEPARTMENTS)
    commune, order = 1 + own // 990 % 900, 1 + own % 990
    thirteen = f"{'2' if sex == 'F' else '1'}{born:%y%m}{department}{commune:03d}{order:03d}"
    status = rng.choices(STATUSES, STATUS_WEIGHTS)[0]
    retrieved = status in ("QUAL", "RECUP")
    mobile = rng.random() < 0.88
    married = sex == "F" and born.year < 1985 and rng.random() < 0.4
    return {
        "birth_family_name": family,
        "birth_given_names": " ".join(given),
        "used_family_name": rng.choice(FAMILIES) if married else "",
        "used_given_name": "",
        "birth_date": born,
        "sex": sex,
        "birth_place": f"{department}{commune:03d}",
        "identity_status": status,
        "ins": thirteen + key_of(thirteen) if retrieved else "",
        "ins_oid": TEST_OID if retrieved else "",
        "insurance_scheme": rng.choices(SCHEMES, (80, 8, 4, 4, 4))[0],
        "email": f"{_ascii(given[0])}.{_ascii(family)}.{own}@exemple.test" if not mobile or rng.random() < 0.8 else "",
        "phone": f"+3363998{own % 10_000:04d}" if mobile else f"+3319900{own % 10_000:04d}",
        "synthetic": True,
    }


def _birth_date(rng: Random, today: date) -> date:
    low, high = rng.choices(AGES, AGE_WEIGHTS)[0]
    year, month = today.year - rng.randint(low, high), rng.randint(1, 12)
    born = date(year, month, rng.randint(1, calendar.monthrange(year, month)[1]))
    return min(born, today)


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFD", name.lower().replace("ı", "i").replace("ç", "c"))
    return "".join(char for char in plain if char.isascii() and char.isalnum())


def traps(rng: Random, first: int, today: date) -> list[dict[str, Any]]:
    """Identities that software gets wrong (domain.md §9.7), numbered from `first` on."""
    twin = {"birth_family_name": "Diallo", "used_family_name": "", "birth_date": date(2020, 2, 29)}
    dubois = {"birth_family_name": "Dubois", "birth_given_names": "Marie", "sex": "F", "used_family_name": ""}
    lefevre = {"birth_family_name": "Lefèvre", "sex": "M", "used_family_name": ""}
    changes: list[dict[str, Any]] = [
        {**dubois, "birth_date": date(1951, 4, 2), "identity_marks": ["homonyme"]},
        {**dubois, "birth_date": date(1987, 9, 30), "identity_marks": ["homonyme"]},
        {**twin, "birth_given_names": "Aminata", "sex": "F"},
        {**twin, "birth_given_names": "Ibrahima", "sex": "M"},
        {"birth_family_name": "O'Neil", "birth_given_names": "Maëlle", "sex": "F", "birth_date": date(1948, 2, 29)},
        {"birth_family_name": "d'Arc", "birth_given_names": "Jeanne Élodie", "sex": "F"},
        {"birth_family_name": "Çelik", "birth_given_names": "Zeynep", "sex": "F"},
        {"birth_family_name": "Nguyễn", "birth_given_names": "Thị-Mai", "sex": "F", "used_family_name": "Le Goff"},
        {**lefevre, "birth_given_names": "Jean-Paul", "birth_date": date(1962, 11, 8)},
        # Probably the same man, entered again in a hurry.
        {**lefevre, "birth_given_names": "Jean Paul", "birth_date": None, "identity_marks": ["douteux"]},
        {"birth_family_name": "Kervella", "birth_given_names": "Yvonne", "birth_date": date(1933, 6, 17),
         "deceased_on": today - timedelta(days=3)},
        {"birth_family_name": "Traoré", "birth_given_names": "Moussa", "sex": "M", "phone": "", "used_family_name": ""},
        {"birth_family_name": "Da-Silva", "birth_given_names": "Ana Maria", "sex": "F", "email": ""},
    ]  # fmt: skip
    return [
        _changed(synthetic_patient(rng, number=first + index, today=today), each) for index, each in enumerate(changes)
    ]


def _changed(fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Other traits than those drawn: the matricule, which was made of them, is no longer theirs."""
    plain = {
        "ins": "",
        "ins_oid": "",
        "identity_status": "PROV" if "douteux" in changes.get("identity_marks", ()) else "VALI",
    }
    name = changes["birth_given_names"].split()[0], changes["birth_family_name"]
    email = f"{_ascii(name[0])}.{_ascii(name[1])}@exemple.test" if fields["email"] else ""
    reach = {"email": email, "phone": fields["phone"] if fields["phone"].startswith("+336") else "+33639987654"}
    return {**fields, **plain, **reach, **changes}


def build(region: Region, rng: Random) -> None:
    """Fill `region.patients`, the demo page's patient first, then the traps, and `region.dying`; who cares for them comes
    with appointments."""
    today = region.now.date()
    special = [DEMO_PATIENT, *traps(rng, region.volumes.patients, today)]
    usual = [
        synthetic_patient(rng, number=number, today=today) for number in range(region.volumes.patients - len(special))
    ]
    for fields in (*special, *usual):
        made = region.now - timedelta(days=rng.randrange(130, 600), minutes=rng.randrange(1440))
        region.patients.append(Patient(id=new_id(rng), created_at=made, **fields))
    insert(region.patients)
    region.dying = _old(region.patients[len(special) :], region.volumes.deaths, today)
    kept = {one.pk for one in region.dying}
    region.patients = [one for one in region.patients if one.pk not in kept]


def _old(patients: list[Patient], count: int, today: date) -> list[Patient]:
    """So many of the last of these people who are as old as residents are, three women to a man."""
    wanted = {"F": round(count * 0.74), "M": count - round(count * 0.74)}
    found = []
    for one in reversed(patients):
        if one.birth_date and today.year - one.birth_date.year >= RESIDENT and wanted[one.sex]:
            wanted[one.sex] -= 1
            found.append(one)
    return found
