"""The professionals of the demo region, and the personas of the demo page (domain.md §9.1)."""

import hashlib
import hmac
import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, make_password
from stdnum import luhn

from relais.accounts.models import Membership, Role, User
from relais.core.demo import Region, insert, mobile, new_id
from relais.directory.models import Establishment, Kind, Need


@dataclass(frozen=True)
class Persona:
    """An account that the demo page opens in one click. `places` are keys of Region.places; none for the help desk."""

    key: str
    email: str
    title: str
    given_name: str
    family_name: str
    profession: str
    specialty: str
    role: str
    places: tuple[str, ...]


PERSONAS = [
    Persona(
        "doctor", "medecin@exemple.test", "Dr", "Camille", "Laurent", "Médecin", "Médecine générale",
        Role.PRACTITIONER, ("hospital",),
    ),
    Persona(
        "expert", "expert@exemple.test", "Dr", "Sonia", "Rossi", "Médecin", "Cardiologie",
        Role.PRACTITIONER, ("hospital",),
    ),
    Persona(
        "caregiver", "infirmiere@exemple.test", "Mme", "Élise", "Çelik", "Infirmière", "",
        Role.CAREGIVER, ("nursing_home",),
    ),
    Persona(
        "on_call", "geriatre@exemple.test", "Dr", "Paul", "Kervella", "Médecin", "Gériatrie",
        Role.PRACTITIONER, ("on_call",),
    ),
    Persona(
        "samu", "samu@exemple.test", "Dr", "Inès", "Haddad", "Médecin", "Médecine d’urgence",
        Role.PRACTITIONER, ("samu",),
    ),
    Persona(
        "secretary", "secretariat@exemple.test", "Mme", "Nadia", "Benali", "Secrétaire médicale", "",
        Role.SECRETARY, ("hospital",),
    ),
    Persona("help_desk", "agent.support@exemple.test", "M.", "Hugo", "Morel", "Agent du support", "", "", ()),
    Persona(
        "manager", "responsable@exemple.test", "Mme", "Anne", "Le Goff", "Directrice", "",
        Role.MANAGER, ("hospital", "nursing_home"),
    ),
]  # fmt: skip
GIVEN = {
    "F": [
        "Marie", "Jeanne", "Sophie", "Claire", "Nathalie", "Isabelle", "Fatima", "Léa", "Manon", "Chloé", "Inès",
        "Zoé", "Agathe", "Louise", "Élodie", "Hélène", "Aïcha", "Mei", "Thérèse", "Yasmine", "Amélie", "Bérénice",
        "Noémie", "Maëlle", "Ophélie", "Solène", "Clémence", "Anaïs", "Justine", "Margaux",
    ],
    "M": [
        "Jean", "Pierre", "Michel", "Philippe", "Karim", "Thomas", "Nicolas", "Julien", "Hugo", "Lucas", "Noé",
        "Gaël", "Loïc", "Benoît", "François", "Rémi", "Mehdi", "Minh", "Étienne", "Raphaël", "Théo", "Antoine",
        "Mathis", "Bastien", "Cédric", "Gaëtan", "Ibrahim", "Olivier", "Sacha", "Valentin",
    ],
}  # fmt: skip
FAMILY = [
    "Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon",
    "Laurent", "Lefèvre", "Michel", "Garcia", "David", "Bertrand", "Roux", "Vincent", "Fournier", "Morel", "Girard",
    "André", "Mercier", "Dupont", "Lambert", "Bonnet", "François", "Martinez", "Legrand", "Garnier", "Faure",
    "Rousseau", "Blanc", "Guérin", "Müller", "Henry", "Roussel", "Nicolas", "Perrin", "Morin", "Mathieu", "Clément",
    "Gauthier", "Dumont", "Lopez", "Fontaine", "Chevalier", "Robin", "Masson", "Sanchez", "Gérard", "Nguyễn", "Boyer",
    "Denis", "Lemaire", "Duval", "Joly", "Gautier", "Roger", "Roche", "Roy", "Noël", "Meyer", "Lucas", "Meunier",
    "Jean", "Pérez", "Marchand", "Dufour", "Blanchard", "Marie", "Barbier", "Brun", "Dumas", "Brunet", "Schmitt",
    "Leroux", "Colas", "Fernandez", "Renaud", "Arnaud", "Rolland", "Caron", "Aubert", "Giraud", "Leclerc", "Vidal",
    "Bourgeois", "Renard", "Lemoine", "Picard", "Gaillard", "Philippe", "Leclercq", "Lacroix", "Fabre", "Dupuis",
    "Olivier", "Rodriguez", "Da Silva", "Hubert", "Louis", "Charles", "Guillot", "Rivière", "Le Gall", "Guillaume",
    "Adam", "Rey", "Moulin", "O'Neil", "d'Arc", "Çelik", "Diallo", "Traoré", "Benali", "Haddad", "Ben Saïd", "Li",
    "Koné", "Kowalski", "Rossi", "Le Goff", "Kervella", "Etcheverry",
]  # fmt: skip
SPECIALTIES = [
    "Médecine générale", "Gériatrie", "Cardiologie", "Pneumologie", "Dermatologie", "Neurologie", "Psychiatrie",
    "Infectiologie", "Pédiatrie", "Endocrinologie",
]  # fmt: skip
# (role, profession of a woman, of a man, share of 18,000)
JOBS = [
    (Role.PRACTITIONER, "Médecin", "Médecin", 6),
    (Role.CAREGIVER, "Infirmière", "Infirmier", 9),
    (Role.SECRETARY, "Secrétaire médicale", "Secrétaire médical", 2),
    (Role.MANAGER, "Cadre de santé", "Cadre de santé", 1),
]
# Where doctors and nurses work: hospitals have many, nursing homes some, emergency services few.
STAFF = {Kind.HOSPITAL: 12, Kind.SSR: 5, Kind.CENTRE: 4, Kind.PSYCHIATRY: 4, Kind.HAD: 3, Kind.SAMU: 3}
NO_PASSWORD = UNUSABLE_PASSWORD_PREFIX  # 18,000 random ones would say no more


def password() -> str:
    """The personas' password on this installation: it follows from the secret key, so that no two installations share it."""
    return "relais-" + hmac.new(settings.SECRET_KEY.encode(), b"demo password", hashlib.sha256).hexdigest()[:10]


def rpps(number: int) -> str:
    """An invented RPPS number: 899, seven digits, and the check digit that makes it valid (Luhn)."""
    body = f"899{number:07d}"
    return body + luhn.calc_check_digit(body)


def build(region: Region, rng: random.Random) -> None:
    """Fill `professionals`, `members` and `personas`, an expert for each service of experts among them. Only personas can
    sign in by password."""
    memberships: list[Membership] = []
    _personas(region, rng, memberships)
    weights = [STAFF.get(Kind(one.kind), 2) for one in region.establishments]
    asked = [one for one in region.services if one.need == Need.EXPERT]
    missing = region.volumes.professionals - len(region.professionals) - len(asked)
    # The personas' hospital has colleagues in every size, so that its agenda and its lists look lived in.
    near = [region.places["hospital"], region.places["nursing_home"]] * min(4, missing // 4)
    for number in range(missing):
        # The first two colleagues are doctors: a nurse of the nursing home must find one to book.
        role, user = _professional(rng, number, JOBS[:1] if number < 2 else JOBS)
        region.professionals.append(user)
        place = near[number] if number < len(near) else rng.choices(region.establishments, weights=weights)[0]
        _join(region, rng, memberships, user, place, role)
        if rng.random() < 0.08:
            other = rng.choice(region.establishments)
            if other != place:
                _join(region, rng, memberships, user, other, role)
    for number, service in enumerate(asked, missing):
        role, user = _professional(rng, number, JOBS[:1])
        user.specialty = service.specialty
        region.professionals.append(user)
        _join(region, rng, memberships, user, service.establishment, role)
    for user in region.professionals:
        user.created_at = region.now - timedelta(days=rng.randrange(200, 700), minutes=rng.randrange(1440))
    for membership in memberships:
        membership.created_at = membership.user.created_at + timedelta(minutes=2)
    insert(region.professionals)
    insert(memberships)


def _personas(region: Region, rng: random.Random, memberships: list[Membership]) -> None:
    shared = make_password(password())  # a slow hash, made once
    for number, persona in enumerate(PERSONAS):
        user = User(
            id=new_id(rng),
            email=persona.email,
            title=persona.title,
            given_name=persona.given_name,
            family_name=persona.family_name,
            profession=persona.profession,
            specialty=persona.specialty,
            mobile=f"+33639980{number + 1:03d}",
            rpps=rpps(number + 1) if persona.role in (Role.PRACTITIONER, Role.CAREGIVER) else None,
            help_desk=persona.key == "help_desk",
            password=shared,
            synthetic=True,
        )
        region.professionals.append(user)
        region.personas[persona.key] = user
        for place in persona.places:
            _join(region, rng, memberships, user, region.places[place], persona.role)


def _professional(rng: random.Random, number: int, jobs: list[tuple[Role, str, str, int]]) -> tuple[str, User]:
    role, feminine, masculine, _share = rng.choices(jobs, weights=[job[3] for job in jobs])[0]
    sex = rng.choice("FM")
    given, family = rng.choice(GIVEN[sex]), rng.choice(FAMILY)
    clinical = role in (Role.PRACTITIONER, Role.CAREGIVER)
    return role, User(
        id=new_id(rng),
        email=f"{_plain(given)}.{_plain(family)}.{number + 1}@exemple.test",
        title="Dr" if role == Role.PRACTITIONER else ("Mme" if sex == "F" else "M."),
        given_name=given,
        family_name=family,
        profession=feminine if sex == "F" else masculine,
        specialty=rng.choice(SPECIALTIES) if role == Role.PRACTITIONER else "",
        mobile=mobile(rng),
        rpps=rpps(number + 101) if clinical else None,
        password=NO_PASSWORD,
        synthetic=True,
    )


def _join(
    region: Region, rng: random.Random, rows: list[Membership], user: User, place: Establishment, role: str
) -> None:
    membership = Membership(id=new_id(rng), user=user, establishment=place, role=role)
    rows.append(membership)
    region.members.setdefault(membership.establishment_id, {}).setdefault(role, []).append(user)


def _plain(name: str) -> str:
    """The name as an address may hold it: no accent, no space, no apostrophe."""
    folded = unicodedata.normalize("NFD", name.lower())
    return re.sub(r"[^a-z]", "", folded)
