"""Signs people in on a database of the bench and tells what to ask: one JSON object. Runs in a process of its own.

python -m bench.prepare pages | streams | call | ringing | room | followed | storm
"""

import json
import os
import sys
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from django.conf import settings  # noqa: E402 (Django is set up above)
from django.db.models import Count, Q  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402

from relais.accounts.demo import PERSONAS  # noqa: E402
from relais.accounts.models import Membership, Role, User  # noqa: E402
from relais.accounts.testing import actor_for, client_of  # noqa: E402
from relais.core.actor import SYSTEM_ACTOR  # noqa: E402
from relais.core.live import sign  # noqa: E402
from relais.dossiers.models import Dossier  # noqa: E402
from relais.expertise.models import Opinion  # noqa: E402
from relais.liaison.actions import asking  # noqa: E402
from relais.liaison.testing import posted  # noqa: E402
from relais.patients import entry  # noqa: E402
from relais.patients.models import Grant, GrantDevice, Holder  # noqa: E402
from relais.patients.testing import let_in, make_patient  # noqa: E402
from relais.questionnaires.queries import current  # noqa: E402
from relais.rooms import actions as rooms  # noqa: E402
from relais.rooms.models import Part  # noqa: E402
from relais.teleconsultation.demo import appointment_now  # noqa: E402
from relais.teleconsultation.models import Teleconsultation  # noqa: E402
from relais.teleconsultation.topics import dashboard_topic  # noqa: E402
from relais.teleconsultation.workflow import State  # noqa: E402
from relais.telemonitoring import workflow as follow_ups  # noqa: E402
from relais.telemonitoring.models import Alert, Cell, FollowUp  # noqa: E402
from relais.telemonitoring.programme import ADULT_YEARS  # noqa: E402
from relais.telemonitoring.testing import WELL  # noqa: E402
from relais.telemonitoring.topics import cell_topic  # noqa: E402

MARK = "Banc d’essai"
STREAMS, PLACES, ENTRIES = 500, 60, 120
REQUESTS = 100
COUNT = 200  # bookings offered: one an attempt


def cookies(client: Client) -> dict[str, str]:
    """Those of a browser, with the secret that forms of either side repeat."""
    found = {name: one.value for name, one in client.cookies.items()}
    return {
        **found,
        **dict.fromkeys([settings.CSRF_COOKIE_NAME, settings.PATIENT_CSRF_COOKIE_NAME], get_random_string(32)),
    }


def doctor(key: str = "doctor") -> Membership:
    email = next(one.email for one in PERSONAS if one.key == key)
    return Membership.objects.select_related("user", "establishment").get(user__email=email)


def pages() -> dict[str, Any]:
    """The doctor's pages, and those of a patient who is awaited."""
    member = doctor()
    here = Teleconsultation.objects.filter(establishment=member.establishment)
    held = here.annotate(papers=Count("dossier__documents")).filter(state=State.CLOSED, papers__gte=2)
    tele = held.order_by("-starts_at", "pk")[0]
    awaited = here.filter(state=State.PLANNED, starts_at__gt=timezone.now()).order_by("starts_at", "pk")[0]
    grant = Grant.objects.exclude(holder=Holder.GUEST).get(about=awaited.pk, revoked_at=None)
    return {
        "doctor": cookies(client_of(member)),
        "expert": cookies(client_of(doctor("expert"))),
        "on_call": cookies(client_of(doctor("on_call"))),
        "manager": cookies(client_of(manager_of_most())),
        "patient": cookies(let_in(Client(), grant, factors=2)),
        "paths": {
            "dashboard": reverse("teleconsultation:dashboard"),
            "agenda": reverse("teleconsultation:agenda"),
            "history": reverse("teleconsultation:history"),
            "search": reverse("patients:search"),
            "dossier": reverse("teleconsultation:dossier", args=[tele.pk]),
            "space": reverse("space:home"),
            "booking page": reverse("teleconsultation:book"),
            "book": reverse("teleconsultation:book"),
            "expert worklist": reverse("expertise:worklist") + "?liste=pool",
            "requests": reverse("expertise:worklist") + "?liste=demandes",
            "on-call list": reverse("liaison:on_call"),
            "figures": reverse("expertise:figures") + "?jours=365",
            "calibration": reverse("calibration"),
        },
        "bookings": list(bookings(member, str(tele.dossier.patient_id))),
    }


def manager_of_most() -> Membership:
    """Who reads the figures of the establishment that answered most requests, of those that have a manager."""
    ranked = Opinion.objects.order_by().values_list("service__establishment").annotate(n=Count("pk")).order_by("-n")
    managers = Membership.objects.filter(role=Role.MANAGER, ended_at=None).select_related("user", "establishment")
    held = {one.establishment_id: one for one in managers.order_by("-pk")}
    return next(held[place] for place, _count in ranked if place in held)


def bookings(member: Membership, patient: str) -> Iterable[dict[str, str]]:
    """Forms that each take five minutes of a day on which the doctor has nothing; what the last run booked is removed."""
    old = Teleconsultation.objects.filter(practitioner=member.user, consent_by=MARK)
    Dossier.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    first = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=60)
    while Teleconsultation.objects.filter(
        practitioner=member.user, starts_at__range=(first, first + timedelta(days=1))
    ).exists():
        first += timedelta(days=1)
    for number in range(COUNT):
        start = first + timedelta(minutes=5 * number)
        yield {
            "practitioner": str(member.user_id),
            "patient": patient,
            "slot": f"{start.isoformat()}~5",
            "reason": "CONSULTATION",
            "email": "banc@exemple.test",
            "phone": "06 39 98 12 34",
            "holder": "self",
            "consent": "on",
            "consent_by": MARK,
        }


def streams() -> dict[str, Any]:
    """500 professionals of 60 establishments on their dashboards, and patients who are about to come."""
    busiest = (
        Teleconsultation.objects.filter(state=State.PLANNED)
        .values("establishment_id")
        .annotate(n=Count("pk"))
        .order_by("-n", "establishment_id")
        .values_list("establishment_id", flat=True)[:PLACES]
    )
    members: list[Membership] = []
    by_place = [
        list(Membership.objects.filter(establishment_id=pk, ended_at=None).select_related("user").order_by("pk")[:40])
        for pk in busiest
    ]
    while len(members) < STREAMS and any(by_place):
        members += [known.pop(0) for known in by_place if known]
    watching = [
        {
            "place": str(each.establishment_id),
            "cookies": cookies(client_of(each)),
            "token": sign(dashboard_topic(each.establishment_id)),
        }
        for each in members[:STREAMS]
    ]
    coming = []
    for index in range(ENTRIES):
        place = busiest[index % len(busiest)]
        teles = Teleconsultation.objects.filter(establishment_id=place, state=State.PLANNED).order_by("starts_at", "pk")
        tele = teles[index // len(busiest) % teles.count()]
        grant = Grant.objects.exclude(holder=Holder.GUEST).filter(about=tele.pk, revoked_at=None).first()
        if grant:
            coming.append({"place": str(place), "about": str(tele.pk), "cookies": cookies(let_in(Client(), grant))})
    return {
        "watching": watching,
        "coming": coming,
        "presence": reverse("patient_rooms:presence"),
        "stream": reverse("live:stream"),
        "dashboard": reverse("teleconsultation:dashboard"),
    }


def call() -> dict[str, Any]:
    """The demo page's appointment, open on both sides."""
    member = doctor()
    tele, grant = appointment_now(doctor=member.user, establishment=member.establishment)
    return {
        "doctor": cookies(client_of(member)),
        "patient": cookies(let_in(Client(), grant, factors=2)),
        "dossier": reverse("teleconsultation:dossier", args=[tele.pk]),
        "space": reverse("space:home"),
    }


def ringing() -> dict[str, Any]:
    """Requests of a nursing home, started and not sent, and the doctor whose pool answers for it."""
    nurse = doctor("caregiver")
    actor = actor_for(nurse)
    residents = [make_patient("Banc", get_random_string(8), seen_by=nurse.establishment) for _one in range(REQUESTS)]
    drafts = [asking.start(actor=actor, patient=one) for one in residents]
    return {
        "nurse": cookies(client_of(nurse)),
        "doctor": cookies(client_of(doctor("on_call"))),
        "list": reverse("liaison:on_call"),
        "form": {name: value[0] for name, value in posted(urgence="urgente").items() if name != "request_key"},
        "requests": [
            {
                "send": reverse("liaison:fill", args=[one.pk]),
                "take": reverse("liaison:verb", args=[one.pk, "take"]),
                "key": str(uuid.uuid4()),
            }
            for one in drafts
        ],
    }


def room() -> dict[str, Any]:
    """A room for many, of six professionals."""
    opened = rooms.open_room(actor=SYSTEM_ACTOR, about=uuid.uuid4(), max_people=25)
    found = Membership.objects.filter(ended_at=None, user__is_active=True).select_related("user", "establishment")
    members = list(found.order_by("user_id", "pk").distinct("user_id")[:6])
    for one in members:
        rooms.invite(
            actor=SYSTEM_ACTOR,
            room=opened,
            holder_id=one.user_id,
            part=Part.HOST,
            name=str(one.user),
            authenticated=True,
        )
    return {"people": [cookies(client_of(one)) for one in members], "path": reverse("rooms:call", args=[opened.pk])}


def busiest_cell() -> Cell:
    """The one that follows most."""
    running = Count("follow_ups", filter=~Q(follow_ups__state=follow_ups.State.CLOSED))
    return Cell.objects.annotate(n=running).order_by("-n", "pk")[0]


def adults() -> list[Grant]:
    """The ways in of the adults of the busiest cell who answer for themselves, in an order that no course decides."""
    born = timezone.localdate() - timedelta(days=366 * (ADULT_YEARS + 1))
    rows = FollowUp.objects.filter(
        cell=busiest_cell(), state=follow_ups.State.ACTIVE, dossier__patient__birth_date__lt=born
    )
    ids = rows.exclude(status="contact").values("pk")
    return list(Grant.objects.filter(about__in=ids, holder=Holder.SELF, revoked_at=None).order_by("login"))


def calm_ones(grants: list[Grant]) -> list[Grant]:
    """Those of whom no alert is open."""
    alarmed = set(Alert.objects.filter(state__in=follow_ups.OPEN).values_list("follow_up_id", flat=True))
    return [one for one in grants if one.about not in alarmed]


def followed() -> dict[str, Any]:
    """How many the busiest cell follows."""
    return {"count": FollowUp.objects.filter(cell=busiest_cell()).exclude(state=follow_ups.State.CLOSED).count()}


def storm() -> dict[str, Any]:
    """Everybody who answers, with a browser each; the members of the cell on their lists; no red alert is open."""
    cell = busiest_cell()
    red = Alert.objects.filter(follow_up__cell=cell, state__in=follow_ups.OPEN, level__startswith="rouge")
    red.update(state=follow_ups.AlertState.CLOSED, closed_at=timezone.now())
    grants = adults()
    calm = {one.pk for one in calm_ones(grants)}
    tokens = [entry.new_token() for _one in grants]
    GrantDevice.objects.bulk_create(
        GrantDevice(grant=grant, token_hash=entry.hash_token(token), label=MARK, factors=1)
        for grant, token in zip(grants, tokens, strict=True)
    )
    form = current("ecovid-suivi-adulte")
    secret = get_random_string(32)
    patients = [
        {
            "pk": str(grant.about),
            "calm": grant.pk in calm,
            "cookies": {
                settings.PATIENT_COOKIE_NAME: token,
                settings.PATIENT_CSRF_COOKIE_NAME: secret,
                "csrftoken": secret,
            },
            "form": {"form": form.name, "version": form.version},
        }
        for grant, token in zip(grants, tokens, strict=True)
    ]
    users = cell.members.filter(establishment=cell.establishment, until=None).values("user_id")
    members = Membership.objects.filter(establishment=cell.establishment, user__in=users, ended_at=None)
    reds = [one for one in patients if one["calm"]][:100]
    return {
        "screens": [cookies(client_of(each)) for each in members.select_related("user").order_by("pk")],
        "token": sign(cell_topic(cell.pk)),
        "stream": reverse("live:stream"),
        "list": reverse("telemonitoring:cells") + f"?cellule={cell.pk}",
        "answer": reverse("follow_up_space:answer"),
        "calibration": reverse("calibration"),
        "calm": reds,
        "patients": [one for one in patients if one not in reds],
        "well": typed(WELL),
        "red": typed({**WELL, "ad.dyspnee": ["4"], "ad.dyspnee.evol": ["critique"]}),
    }


def typed(answers: dict[str, list[Any]]) -> dict[str, str]:
    """Answers as a page sends them."""
    words = {True: "true", False: "false"}
    return {
        f"q-{name}": str(words.get(value[0], value[0]) if isinstance(value[0], bool) else value[0])
        for name, value in answers.items()
    }


if __name__ == "__main__":
    User.objects.exists()  # the database answers, or its error is what one reads
    parts = {
        "pages": pages,
        "streams": streams,
        "call": call,
        "ringing": ringing,
        "room": room,
        "followed": followed,
        "storm": storm,
    }
    json.dump(parts[sys.argv[1]](), sys.stdout)
