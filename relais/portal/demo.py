"""The demo page's side of the application, and this module's part of the demo region."""

import ipaddress
import random
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from relais.accounts.actions.sessions import begin_session
from relais.accounts.demo import PERSONAS
from relais.accounts.models import User
from relais.accounts.queries import workplaces
from relais.core.demo import Region, insert, mobile, new_id
from relais.core.errors import NotFound, Refused
from relais.notifications.queries import demo_copies
from relais.patients import entry
from relais.patients.actions import remember_device
from relais.patients.models import Grant
from relais.portal.models import ALPHABET, Answer, Ticket
from relais.portal.queries import support
from relais.portal.workflow import TicketState
from relais.teleconsultation import demo as teleconsultation
from relais.teleconsultation.models import Teleconsultation

KEY_GIVEN = "demo_key"  # in the session of a visitor who gave the key


def available(request: HttpRequest) -> bool:
    """Whether this installation has a demo page at all: never in production, only where data may be synthetic."""
    return bool(settings.DEMO) and not settings.PRODUCTION


def may_enter(request: Any) -> bool:
    """Whoever sits at this machine, or gave the key that the terminal printed."""
    try:
        here = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        here = False
    return here or constant_time_compare(request.session.get(KEY_GIVEN, ""), expected_key() or uuid.uuid4().hex)


def expected_key() -> str:
    """The key of this installation; empty: nobody enters from elsewhere."""
    return getattr(settings, "DEMO_KEY", None) or ""


@dataclass(frozen=True)
class Card:
    """A persona as the demo page shows it."""

    key: str
    name: str
    who: str | Promise
    label: str | Promise
    where: str
    icon: str
    tries: list[str | Promise]
    email: str


WORDS: dict[str, tuple[str | Promise, str | Promise, str, list[str | Promise]]] = {
    "doctor": (
        _("Médecin"),
        _("Ouvrir comme médecin"),
        "stethoscope",
        [
            _("Le tableau du jour et l’appel vidéo"),
            _("Le compte-rendu et l’ordonnance"),
            _("L’historique des dossiers"),
        ],
    ),
    "secretary": (
        _("Secrétaire"),
        _("Ouvrir comme secrétaire"),
        "calendar",
        [
            _("Réserver, déplacer, annuler un rendez-vous"),
            _("Un message refusé à corriger"),
            _("Aucun contenu médical"),
        ],
    ),
    "caregiver": (
        _("Infirmière en EHPAD"),
        _("Ouvrir comme infirmière"),
        "heart-handshake",
        [
            _("Demander l’avis de l’astreinte pour un résident"),
            _("Entrer dans la salle vidéo en un geste"),
            _("Réserver, et entrer dans l’appel à ses côtés"),
        ],
    ),
    "expert": (
        _("Médecin expert"),
        _("Ouvrir comme expert"),
        "brain",
        [_("Les demandes d’avis de son équipe"), _("Donner un avis signé"), _("Demander un complément")],
    ),
    "on_call": (
        _("Gériatre d’astreinte"),
        _("Ouvrir comme gériatre"),
        "phone-call",
        [
            _("Les demandes des EHPAD, les plus urgentes d’abord"),
            _("Décider et fixer une réévaluation"),
            _("La relève"),
        ],
    ),
    "samu": (
        _("Médecin du SAMU"),
        _("Ouvrir comme SAMU"),
        "ambulance",
        [_("Les résidents à appeler maintenant"), _("Entrer dans la salle d’un EHPAD"), _("L’annuaire des astreintes")],
    ),
    "help_desk": (
        _("Agent du support"),
        _("Ouvrir comme agent"),
        "lifebuoy",
        [_("Les demandes d’aide à traiter"), _("Répondre, clore, rouvrir")],
    ),
    "manager": (
        _("Responsable"),
        _("Ouvrir comme responsable"),
        "users",
        [_("Choisir parmi deux établissements"), _("Les membres et leurs rôles"), _("Retirer un membre sur-le-champ")],
    ),
}


def cards() -> list[Card]:
    """The professional personas that this database holds, in the order of the page."""
    users = {user.email: user for user in User.objects.filter(synthetic=True, email__in=[p.email for p in PERSONAS])}
    shown = []
    for persona in PERSONAS:
        if user := users.get(persona.email):
            who, label, icon, tries = WORDS[persona.key]
            places = ", ".join(str(one.establishment) for one in workplaces(user.pk))
            shown.append(Card(persona.key, user.full_name, who, label, places, icon, tries, persona.email))
    return shown


def persona_user(key: str) -> User:
    """The account of a persona. Raises NotFound for any other account, synthetic or not."""
    emails = {persona.key: persona.email for persona in PERSONAS}
    user = User.objects.filter(synthetic=True, is_active=True, email=emails.get(key, "")).first()
    if user is None:
        raise NotFound
    return user


def open_session(request: Any, user: User) -> None:
    """Sign this browser in as a persona, as if both factors had just been shown; one establishment is chosen at once."""
    token = request.META.get("CSRF_COOKIE")
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    if token:
        request.META["CSRF_COOKIE"] = token  # a new one would spoil the demo page itself, in the window beside
    shown = {"method": "password", "at": time.time(), "email": user.email}
    request.session["account_authentication_methods"] = [shown]
    request.session["account_authentication_methods_user"] = str(user.pk)
    begin_session(user=user, session=request.session)


def appointment_now() -> tuple[Teleconsultation, Grant]:
    """The doctor persona's appointment that starts now, booked when there is none, and its patient's way in.

    Raises Refused when this database has no demo region.
    """
    doctor = User.objects.filter(synthetic=True, email=PERSONAS[0].email).first()
    place = workplaces(doctor.pk).first() if doctor else None
    if doctor is None or place is None:
        raise Refused(gettext("La région de démonstration n’est pas encore chargée."))
    tele, grant = teleconsultation.appointment_now(doctor=doctor, establishment=place.establishment)
    if not grant.patient.synthetic:
        raise NotFound
    return tele, grant


def let_in(request: HttpRequest, response: HttpResponse, grant: Grant) -> None:
    """Remember this browser as one that showed login, password and code of a synthetic patient."""
    token = entry.new_token()
    remember_device(grant=grant, token=token, factors=2, user_agent=request.headers.get("User-Agent", ""))
    before = request.COOKIES.get(settings.PATIENT_COOKIE_NAME)
    value, _kept = entry.with_current(token, before, remember=True)
    response.set_cookie(
        settings.PATIENT_COOKIE_NAME,
        value,
        max_age=entry.KEEP_SECONDS,
        secure=settings.SECURE_TLS,
        httponly=True,
        samesite="Lax",
    )


def copies(limit: int = 12) -> list[dict[str, Any]]:
    """The last messages that synthetic people would have received, newest first, with their codes."""
    return demo_copies(limit=limit)


QUESTIONS = [
    ("Je ne reçois pas le code par SMS", "Le code n’arrive pas sur mon téléphone depuis ce matin."),
    ("La caméra reste noire", "La caméra fonctionne ailleurs mais reste noire ici."),
    ("Ajouter une collègue", "Comment ajouter une collègue arrivée lundi ?"),
    ("Le son grésille", "Le son grésille avec le casque, pas avec le haut-parleur."),
    ("Changer d’établissement", "Je ne trouve pas où changer d’établissement."),
    ("Rendez-vous à déplacer en nombre", "Le praticien est absent jeudi : peut-on déplacer toute la journée ?"),
    ("Je n’arrive pas à entrer dans mon espace", "Le mot de passe est refusé."),
    ("Imprimer un document", "Le document s’ouvre mais ne s’imprime pas."),
]
ANSWERS = [
    "Bonjour, vérifiez le numéro dans votre profil, puis demandez un nouveau code : le précédent ne sert plus.",
    "Bonjour, touchez le cadenas à gauche de l’adresse et autorisez la caméra, puis rechargez la page.",
    "Bonjour, c’est possible depuis la page Membres. Le guide « Gérer son établissement » montre chaque étape.",
]
BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Linux; Android 11; SM-A125F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 15_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Mobile/15E148 Safari/604.1",
]
PAGES = ["/teleconsultation/", "/teleconsultation/…/", "/connexion/", "/p/…/", ""]


def build(region: Region, rng: random.Random) -> None:
    """Requests for help in every state, from professionals of the region and from people who are not signed in."""
    agent = region.personas["help_desk"]
    services = list(support().mailboxes) or ["Support"]
    workplace = {
        user.pk: place for place, roles in region.members.items() for users in roles.values() for user in users
    }
    tickets, answers = [], []
    for number in range(region.volumes.tickets):
        state = [TicketState.OPEN, TicketState.ANSWERED, TicketState.CLOSED][number % 3]
        ticket = _ticket(region, rng, state, rng.choice(services), workplace)
        tickets.append(ticket)
        if state != TicketState.OPEN:
            answers.append(
                Answer(
                    id=new_id(rng),
                    key=new_id(rng),
                    ticket=ticket,
                    author_id=agent.pk,
                    from_agent=True,
                    text=rng.choice(ANSWERS),
                    created_at=ticket.moved_at,
                )
            )
    insert(tickets)
    insert(answers)


def _ticket(
    region: Region, rng: random.Random, state: str, service: str, workplace: dict[uuid.UUID, uuid.UUID]
) -> Ticket:
    subject, text = rng.choice(QUESTIONS)
    asker = rng.choice(region.professionals) if rng.random() < 0.8 else None
    letters = "".join(rng.choice(ALPHABET) for _sign in range(8))
    moved_at = region.now - timedelta(minutes=rng.randrange(4, 3 * 24 * 60))
    return Ticket(
        id=new_id(rng),
        key=new_id(rng),
        number=f"AIDE-{letters[:4]}-{letters[4:]}",
        state=state,
        moved_at=moved_at,
        created_at=moved_at - timedelta(minutes=0 if state == TicketState.OPEN else rng.randrange(3, 90)),
        service=service,
        subject=subject,
        text=text,
        name="" if asker else "Personne non connectée",
        email=asker.email if asker else f"visiteur{rng.randrange(1000)}@exemple.test",
        phone=asker.mobile if asker else mobile(rng),
        page=rng.choice(PAGES),
        actor_kind="professional" if asker else "visitor",
        user_id=asker.pk if asker else None,
        establishment_id=workplace.get(asker.pk) if asker else None,
        browser=rng.choice(BROWSERS),
        device_test=rng.choice([{}, {"outcome": "ok", "rtt_ms": 42}, {"outcome": "ko", "camera": False}]),
    )
