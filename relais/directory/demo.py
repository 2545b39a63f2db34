"""The establishments of the demo region and their services: invented sites in the eight departments (domain.md §9.1)."""

import random
from datetime import time, timedelta

from stdnum import luhn

from relais.core.demo import Region, insert, landline, new_id
from relais.directory.models import Department, Establishment, Kind, Need, Service, Way

# For 1,200 establishments; a smaller region keeps the proportions.
MIX = {
    Kind.EHPAD: 696,
    Kind.SSR: 190,
    Kind.HOSPITAL: 130,
    Kind.ESMS: 60,
    Kind.CENTRE: 46,
    Kind.HAD: 40,
    Kind.PSYCHIATRY: 30,
    Kind.SAMU: 8,
}
# Nursing homes of the region by department: 696 (domain.md §3.1); a smaller region keeps the proportions.
HOMES = {"75": 75, "77": 106, "78": 107, "91": 98, "92": 107, "93": 62, "94": 72, "95": 69}
HERE = "93"  # of the nursing home of the personas, the first
POPULATION = {"75": 2.15, "77": 1.43, "78": 1.45, "91": 1.31, "92": 1.62, "93": 1.65, "94": 1.41, "95": 1.25}
CITIES = {
    "75": [("75010", "Paris"), ("75013", "Paris"), ("75014", "Paris"), ("75018", "Paris"), ("75020", "Paris")],
    "77": [("77000", "Melun"), ("77100", "Meaux"), ("77300", "Fontainebleau"), ("77500", "Chelles")],
    "78": [("78000", "Versailles"), ("78100", "Saint-Germain-en-Laye"), ("78300", "Poissy"), ("78120", "Rambouillet")],
    "91": [("91000", "Évry-Courcouronnes"), ("91300", "Massy"), ("91150", "Étampes"), ("91120", "Palaiseau")],
    "92": [("92000", "Nanterre"), ("92100", "Boulogne-Billancourt"), ("92160", "Antony"), ("92700", "Colombes")],
    "93": [("93000", "Bobigny"), ("93100", "Montreuil"), ("93200", "Saint-Denis"), ("93300", "Aubervilliers")],
    "94": [("94000", "Créteil"), ("94200", "Ivry-sur-Seine"), ("94300", "Vincennes"), ("94800", "Villejuif")],
    "95": [("95000", "Cergy"), ("95100", "Argenteuil"), ("95300", "Pontoise"), ("95200", "Sarcelles")],
}
PREFIX = {
    Kind.EHPAD: "EHPAD",
    Kind.SSR: "Clinique de soins de suite",
    Kind.HOSPITAL: "Hôpital",
    Kind.ESMS: "Foyer d’accueil médicalisé",
    Kind.CENTRE: "Centre de santé",
    Kind.HAD: "Hospitalisation à domicile",
    Kind.PSYCHIATRY: "Établissement de santé mentale",
    Kind.SAMU: "SAMU",
}
PLACES = [
    "des Tilleuls", "des Glycines", "du Clos Fleuri", "des Trois Moulins", "du Val Clair", "de la Fontaine",
    "des Grands Chênes", "du Parc aux Biches", "des Quatre Vents", "de la Roseraie", "du Vieux Pont", "des Alouettes",
    "de la Prairie", "du Bois Joli", "des Cèdres", "du Moulin Vert", "de la Source", "des Hirondelles", "du Belvédère",
    "de la Bergerie", "des Lilas", "du Lavoir", "des Acacias", "de la Clairière", "du Pré Saint-Loup", "des Coquelicots",
    "de la Tour Carrée", "du Jardin Clos", "des Peupliers", "de l’Étang", "des Sorbiers", "du Colombier",
]  # fmt: skip
ENOUGH = 60  # establishments: a region of fewer is a test's
# Geriatric on-calls of the region by department: 28 (domain.md §3.1). A smaller region has one a department at least.
ON_CALLS = {"75": 5, "77": 3, "78": 4, "91": 3, "92": 4, "93": 3, "94": 3, "95": 3}
SPECIALTIES = [
    "Cardiologie", "Dermatologie", "Diabétologie", "Infectiologie", "Néphrologie", "Neurologie", "Pneumologie",
    "Psychiatrie du sujet âgé", "Plaies et cicatrisation", "Soins palliatifs", "Neurologie vasculaire (AVC)",
    "Neurochirurgie", "Radiologie",
]  # fmt: skip
WEEK = list(range(5))  # Monday to Friday
# Asked most, with geriatrics (domain.md §9.4): by the whole region, of which those for an emergency at any hour.
TOP = {"Neurologie vasculaire (AVC)", "Neurochirurgie", "Dermatologie", "Infectiologie", "Radiologie"}
AT_ANY_HOUR = {"Neurologie vasculaire (AVC)", "Neurochirurgie"}
DAY, NIGHT, ROUND = (time(8), time(19)), (time(19), time(8)), (time(0), time(0))
STREETS = [
    "rue des Écoles",
    "avenue de la Gare",
    "rue du Moulin",
    "place de l’Église",
    "rue des Jardins",
    "allée du Parc",
]


def build(region: Region, rng: random.Random) -> None:
    """Fill `region.establishments`, `region.services`, and `places` with those of the personas: a hospital, a nursing home,
    the hospital whose on-call answers for it, and the SAMU of its department."""
    taken: set[str] = set()
    kinds = _kinds(region.volumes.establishments)
    homes = iter(_homes(kinds.count(Kind.EHPAD)))
    for number, kind in enumerate(kinds):
        department = next(homes) if kind == Kind.EHPAD else _department(rng, number, kind)
        region.establishments.append(_establishment(rng, number, kind, department, taken))
    hospital, home = (next(e for e in region.establishments if e.kind == kind) for kind in (Kind.HOSPITAL, Kind.EHPAD))
    hospital.name, hospital.department, hospital.postal_code, hospital.city = (
        "Hôpital des Deux Rives", "94", "94000", "Créteil",
    )  # fmt: skip
    home.name, home.department, home.postal_code, home.city = "EHPAD Les Mésanges", "93", "93100", "Montreuil"
    region.places.update(hospital=hospital, nursing_home=home)
    for establishment in region.establishments:
        establishment.created_at = region.now - timedelta(days=rng.randrange(700, 1400))
    insert(region.establishments)
    region.services = _services(region, rng)
    insert(region.services)
    for key, need in (("on_call", Need.GERIATRIC), ("samu", Need.SAMU)):
        offered = [one for one in region.services if one.need == need]
        region.places[key] = next((s for s in offered if home.department in s.departments), offered[0]).establishment


def finess(number: int) -> str:
    """An invented FINESS number: 99, six digits, and the check digit that makes it valid (Luhn)."""
    body = f"99{number:06d}"
    return body + luhn.calc_check_digit(body)


def _kinds(total: int) -> list[Kind]:
    """`total` kinds in the proportions of MIX, at least one of each, and a SAMU a department from 60 establishments on; what
    rounding leaves are nursing homes."""
    whole = sum(MIX.values())
    least = {Kind.SAMU: len(Department) if total >= ENOUGH else 1}
    rest = [kind for kind in MIX if kind != Kind.EHPAD]
    kinds = [kind for kind in rest for _ in range(max(least.get(kind, 1), MIX[kind] * total // whole))]
    return [*[Kind.EHPAD] * (total - len(kinds)), *kinds]


def _homes(count: int) -> list[str]:
    """The departments of so many nursing homes in the proportions of HOMES, every one among the first eight."""
    whole = sum(HOMES.values())
    left = {department: share * count // whole for department, share in HOMES.items()}
    rest = sorted(HOMES, key=lambda one: (-(HOMES[one] * count % whole), one))
    for department in rest[: count - sum(left.values())]:
        left[department] += 1
    turn, found = [HERE, *(one for one in HOMES if one != HERE)], []
    while any(left.values()):
        found += [one for one in turn if left[one]]
        left = {one: max(0, number - 1) for one, number in left.items()}
    return found


def _department(rng: random.Random, number: int, kind: Kind) -> str:
    """The first eight and the emergency services (one each) cover every department; the others follow the population."""
    departments = list(POPULATION)
    if number < len(departments) or kind == Kind.SAMU:
        return departments[number % len(departments)]
    return rng.choices(departments, weights=list(POPULATION.values()))[0]


def _establishment(rng: random.Random, number: int, kind: Kind, department: str, taken: set[str]) -> Establishment:
    postal_code, city = rng.choice(CITIES[department])
    return Establishment(
        id=new_id(rng),
        finess=finess(number + 1),
        name=_name(rng, kind, department, city, taken),
        kind=kind,
        department=department,
        address=f"{rng.randrange(1, 90)} {rng.choice(STREETS)}",
        postal_code=postal_code,
        city=city,
        phone=landline(rng),
        synthetic=True,
    )


def _name(rng: random.Random, kind: Kind, department: str, city: str, taken: set[str]) -> str:
    """A name that no other site has: the place first, then the town, then a number."""
    base = f"SAMU {Department(department).label}" if kind == Kind.SAMU else f"{PREFIX[kind]} {rng.choice(PLACES)}"
    candidates = [base, f"{base}, {city}", *(f"{base}, {city} {count}" for count in range(2, 500))]
    name = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(name)
    return name


def _services(region: Region, rng: random.Random) -> list[Service]:
    """The on-calls, the night duty, the eight SAMU, mobile teams, care at home, and experts of hospitals (TE-02)."""
    hospitals = [one for one in region.establishments if one.kind == Kind.HOSPITAL]
    found = [
        _service(rng, one, f"Régulation {one.name}", Need.SAMU, [one.department], ROUND, [Way.PHONE, Way.VIDEO])
        for one in region.establishments
        if one.kind == Kind.SAMU
    ]
    night = _service(
        rng, hospitals[0], "Garde de nuit régionale", Need.NIGHT, list(POPULATION), NIGHT, [Way.PHONE, Way.VIDEO],
        "Pour les EHPAD de toute la région, quand l’astreinte de jour est fermée.",
    )  # fmt: skip
    found.append(night)
    for department, count in ON_CALLS.items():
        near = [one for one in hospitals if one.department == department] or hospitals
        for number in range(min(count, len(near))):
            name = f"Astreinte gériatrique {department}, secteur {number + 1}"
            note = "Avis avant toute hospitalisation d’un résident, admission directe possible."
            ways = [Way.PHONE, Way.VIDEO, Way.EXPERTISE, Way.ADMISSION]
            found.append(_service(rng, near[number], name, Need.GERIATRIC, [department], DAY, ways, note))
        mobile = f"Équipe mobile gériatrique {department}"
        team = _service(rng, near[0], mobile, Need.MOBILE, [department], DAY, [Way.PHONE, Way.VISIT])
        team.days = WEEK
        found.append(team)
        name, note = f"Équipe mobile de soins palliatifs {department}", "Conseil par téléphone, passage sous 48 heures."
        palliative = _service(rng, near[-1], name, Need.PALLIATIVE, [department], DAY, [Way.PHONE, Way.VISIT], note)
        palliative.days = WEEK
        found.append(palliative)
    return [*found, *_at_home(region, rng), *_experts(rng, hospitals)]


def _at_home(region: Region, rng: random.Random) -> list[Service]:
    """Each establishment of care at home admits in its department, the first one everywhere."""
    places = [one for one in region.establishments if one.kind == Kind.HAD]
    note = "Évaluation au domicile ou dans l’EHPAD, admission sous 24 heures."
    ways = [Way.PHONE, Way.VISIT, Way.ADMISSION]
    return [
        _service(
            rng, one, "Admission en HAD", Need.HAD, [one.department] if number else list(POPULATION), DAY, ways, note
        )
        for number, one in enumerate(places)
    ]


def _experts(rng: random.Random, hospitals: list[Establishment]) -> list[Service]:
    found = []
    for number, specialty in enumerate(SPECIALTIES):
        one = hospitals[number % len(hospitals)]
        served = [one.department] if number % 2 and specialty not in TOP else list(POPULATION)
        hours = ROUND if specialty in AT_ANY_HOUR else DAY
        name = f"Avis de {specialty[0].lower()}{specialty[1:]}"
        expert = _service(rng, one, name, Need.EXPERT, served, hours, [Way.EXPERTISE, Way.VIDEO])
        expert.specialty = specialty
        found.append(expert)
    return found


def _service(
    rng: random.Random,
    place: Establishment,
    name: str,
    need: Need,
    departments: list[str],
    hours: tuple[time, time],
    ways: list[Way],
    note: str = "",
) -> Service:
    return Service(
        id=new_id(rng),
        created_at=place.created_at,
        establishment=place,
        name=name,
        need=need,
        departments=departments,
        opens=hours[0],
        closes=hours[1],
        phone=landline(rng),
        ways=ways,
        note=note,
    )
