"""The space of a patient followed at home: what is awaited, answering, what to do now (EC-03, EC-09, EC-10, EC-12)."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from relais.core.access import patient
from relais.core.doors import get_visible
from relais.core.errors import Refused
from relais.dossiers import actions as dossiers
from relais.patients.models import Grant, Holder
from relais.questionnaires import queries as questionnaires
from relais.questionnaires.actions import Who, Wrong
from relais.questionnaires.form import Item
from relais.questionnaires.forms import Fill, Node
from relais.questionnaires.models import Questionnaire, Reason, Relation, Voice
from relais.telemonitoring.actions import answers, leaving
from relais.telemonitoring.actions.alerts import asks_to_stop
from relais.telemonitoring.actions.answers import PROXIES, REASONS, WHO, said_by
from relais.telemonitoring.actions.states import CLOSINGS
from relais.telemonitoring.models import FollowUp
from relais.telemonitoring.programme import band, form_for
from relais.telemonitoring.queries import shelf, space
from relais.telemonitoring.queries.follow_up import open_alert
from relais.telemonitoring.topics import space_topic
from relais.telemonitoring.workflow import State

OF_HOLDER = {
    Holder.PARENT: Relation.PARENT,
    Holder.GUARDIAN: Relation.CARER,
    Holder.FAMILY: Relation.CARER,
    Holder.CAREGIVER: Relation.HOME,
}


class DailyFill(Fill):
    """The day's form without the question that the page has answered."""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(node for node in super().nodes if node.key != WHO)

    def _is_drawn(self, item: Item) -> bool:
        return item.link_id != WHO and super()._is_drawn(item)


class OfflineFill(DailyFill):
    """The day's form as a telephone keeps it: nothing is sent ahead without network, so no file is asked for."""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        return _without_files(super().nodes)


def _without_files(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple(replace(node, nodes=_without_files(node.nodes)) for node in nodes if node.item.type != "attachment")


def choices() -> dict[str, list[tuple[str, Any]]]:
    """Who may answer in the place of the patient, and why, as the pages offer it."""
    return {
        "relations": [(one.value, one.label) for one in PROXIES],
        "reasons": [(one.value, one.label) for one in REASONS],
    }


def follow_up_of(request: Any, why: str) -> FollowUp:
    """The one follow-up that this grant opens, with the trace of who looked."""
    found: FollowUp = get_visible(
        FollowUp.objects.select_related("cell__establishment", "cell__rules", "dossier__patient")
        .defer("cell__rules__source")  # the rules are read once a process
        .prefetch_related("pauses"),
        request.actor,
        pk=request.actor.about,
    )
    dossiers.open_dossier(actor=request.actor, dossier_id=found.pk, why=why)
    return found


def context_of(request: Any, follow_up: FollowUp) -> dict[str, Any]:
    alert = open_alert(follow_up)
    return {
        "follow_up": follow_up,
        "patient": follow_up.dossier.patient,
        "cell": follow_up.cell,
        "grant": Grant.objects.get(pk=request.actor.grant_id),
        "alert": space.told(alert),
        "stopping": asks_to_stop(alert),
        "closed_now": space.is_closed(follow_up.cell, timezone.now()),
        "topic": space_topic(follow_up.pk),
    }


def _card(follow_up: FollowUp, grant: Grant) -> str:
    """What the telephone keeps for the days without network (see queries.shelf)."""
    born = follow_up.dossier.patient.birth_date
    age_band = band(born, timezone.localdate()) if born and follow_up.status != "contact" else ""
    relation, reason = _usual(grant, child=age_band not in ("", "D"), minor=bool(age_band))
    return shelf.card(follow_up, grant, {"relation": relation, "reason": reason})


@patient
def home(request: Any) -> HttpResponse:
    """What is awaited today, and what was answered."""
    follow_up = follow_up_of(request, "Espace du suivi à domicile")
    given = space.last_answers(follow_up)
    context = {
        **context_of(request, follow_up),
        "today": space.today(follow_up, given, timezone.now()),
        "answers": given[:6],
        "table": space.table(given),
        "over": timezone.localdate() > follow_up.ends_on,
        "closing": CLOSINGS.get(follow_up.closing, ""),
    }
    context["card"] = _card(follow_up, context["grant"])
    return render(request, "telemonitoring/space/home.html", context)


@dataclass(frozen=True)
class Asked:
    """The form of today, and who answers it."""

    questionnaire: Questionnaire
    who: Who
    child: bool

    @property
    def proxy(self) -> bool:
        return self.who.relation != Relation.PATIENT


@patient
@require_http_methods(["GET", "POST"])
def answer(request: Any) -> HttpResponse:
    """The day's questions, one a screen; somebody else who answers says first who they are and why.

    Answers that are kept leave the trace of their dossier's event; a page that is drawn, that of who looked.
    """
    rows = FollowUp.objects.select_related("dossier__patient")
    follow_up = get_visible(rows, request.actor, pk=request.actor.about)
    if follow_up.state != State.ACTIVE:
        return redirect("follow_up_space:home")
    said = request.POST if request.method == "POST" else request.GET
    asked = _asked(follow_up, Grant.objects.get(pk=request.actor.grant_id), said)
    if asked is None or said.get("pour") == "proche":
        return _ask_who(request, asked)
    known = answers.context_of(follow_up)
    form = asked.questionnaire.form
    fill = DailyFill(
        form,
        voice=asked.who.voice,
        context={item.link_id: known[item.link_id] for item in form.context if item.link_id in known},
        request=request if "request_key" in request.POST else None,
        upload_url="/upload/p/",
    )
    if WHO in form.by_id:
        fill.answers[WHO] = [said_by(asked.who)]
    if fill.ready:
        try:
            answers.answer(
                actor=request.actor, follow_up=follow_up, questionnaire=asked.questionnaire, answers=fill.answers,
                uploads=fill.uploads, times=fill.times, request_key=fill.request_key, who=asked.who,
            )  # fmt: skip
        except Wrong as wrong:
            fill.refuse(wrong)
        except Refused as refused:
            messages.error(request, refused.message)
            return redirect("follow_up_space:home")
        else:
            return redirect("follow_up_space:instruction")
    context = context_of(request, follow_up_of(request, "Réponses du jour"))
    context |= {"asked": asked, "fill": fill, "card": _card(context["follow_up"], context["grant"])}
    return render(request, "telemonitoring/space/answer.html", context, status=422 if fill.errors else 200)


def _ask_who(request: Any, asked: Asked | None) -> HttpResponse:
    """Who answers, and why in the place of the patient. Said wrong, it is asked again."""
    wrong = request.method == "POST" and asked is None
    context = context_of(request, follow_up_of(request, "Réponses du jour"))
    context |= {
        **choices(),
        "relation": request.POST.get("relation") or OF_HOLDER.get(Holder(context["grant"].holder), ""),
        "reason": request.POST.get("reason", ""),
        "wrong": wrong,
    }
    return render(request, "telemonitoring/space/who.html", context, status=422 if wrong else 200)


def _asked(follow_up: FollowUp, grant: Grant, said: Any) -> Asked | None:
    """What the page asked; None when it has to be said who answers, or was said wrong.

    A child's form is put to a parent, from 12 years to whoever holds the link. The page answers the version that it
    showed, of today or, over midnight, of the day before.
    """
    born, day = follow_up.dossier.patient.birth_date, timezone.localdate()
    contact = follow_up.status == "contact"
    names = [form_for(contact=contact, born=born, on=on) for on in (day, day - timedelta(days=1))]
    name = said.get("form") if said.get("form") in names else names[0]
    version = said.get("version")
    questionnaire = questionnaires.version(name, version) if version else questionnaires.current(name)
    age_band = band(born, day) if born else ""
    child = name.startswith("ecovid-suivi-enfant")
    relation, reason = said.get("relation"), said.get("reason")
    if relation is None and said.get("pour") != "proche":
        relation, reason = _usual(grant, child=child and age_band != "D", minor=child)
    if relation == Relation.PATIENT:
        return Asked(questionnaire, Who(), child)
    if relation not in PROXIES or reason not in REASONS:
        return None
    voice = Voice.PATIENT if child else Voice.PROXY  # a child's form speaks to the parent already
    return Asked(questionnaire, Who(relation=relation, reason=reason, voice=voice), child)


def _usual(grant: Grant, *, child: bool, minor: bool) -> tuple[str, str]:
    """Who answers unless it is said otherwise; without a reason it has to be asked."""
    if grant.holder == Holder.SELF and not child:
        return Relation.PATIENT, ""
    relation = OF_HOLDER.get(Holder(grant.holder), Relation.PARENT)
    return relation, Reason.CHILD if minor else ""


@patient
def instruction(request: Any) -> HttpResponse:
    """What to do now, at once, from the rules alone; then whether somebody of the team has it in hand."""
    follow_up = follow_up_of(request, "Consigne après les réponses")
    given = follow_up.judgements.select_related("rules", "response")
    last = given.order_by("-response__ended_at", "-at").first()  # older ones may come after it, from another telephone
    if last is None:
        return redirect("follow_up_space:home")
    context = context_of(request, follow_up)
    context |= {"last": last, "instruction": space.instruction(last, context["alert"])}
    return render(request, "telemonitoring/space/instruction.html", context)


@patient
@require_POST
def stop(request: Any) -> HttpResponse:
    """Ask the team to end the follow-up."""
    follow_up = follow_up_of(request, "Demande d’arrêt du suivi")
    try:
        leaving.ask_to_stop(actor=request.actor, follow_up=follow_up)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("L’équipe est prévenue : elle vous appelle pour arrêter ce suivi avec vous."))
    return redirect("follow_up_space:home")
