from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from relais.core.actor import Actor
    from relais.liaison.models import Request
    from relais.patients.models import Patient


class LiaisonConfig(AppConfig):
    name = "relais.liaison"

    def ready(self) -> None:
        from relais.core.navigation import NavItem, register  # noqa: PLC0415
        from relais.dossiers import facts, registry, sequels  # noqa: PLC0415 (models are not loaded before ready)
        from relais.liaison import kind, messages  # noqa: PLC0415
        from relais.liaison.actions.hearing import follow_sequel, follow_withdrawn  # noqa: PLC0415
        from relais.liaison.actions.leaving import follow_death  # noqa: PLC0415
        from relais.liaison.actions.watching import follow_rota  # noqa: PLC0415
        from relais.liaison.permissions import can_read, still_welcome  # noqa: PLC0415
        from relais.liaison.queries.facts import of_request  # noqa: PLC0415
        from relais.liaison.queries.request import REACHED  # noqa: PLC0415
        from relais.liaison.views.lists import bell  # noqa: PLC0415
        from relais.oncall import bells, changes  # noqa: PLC0415
        from relais.patients import deaths, sections  # noqa: PLC0415
        from relais.rooms.permissions import gates  # noqa: PLC0415

        registry.register(kind.KIND)
        sequels.follow(kind.KIND.key, follow_sequel, follow_withdrawn)
        facts.register(kind.KIND.key, of_request)
        messages.register_all()
        changes.register(follow_rota)
        bells.register(bell, REACHED)
        deaths.register(follow_death)
        gates.append(still_welcome)
        register(
            NavItem(
                key="liaison.home",
                label=_("Liaison EHPAD"),
                icon="nurse",
                url_name="liaison:home",
                visible=can_read,
                order=25,
            )
        )
        register(
            NavItem(
                key="liaison.nobody",
                label=_("Demandes sans médecin"),
                icon="user-off",
                url_name="liaison:nobody",
                visible=keeps_or_runs,
                order=25,
            )
        )
        sections.register(
            sections.Section(key="liaison", order=25, template="liaison/_of_patient.html", load=requests_of)
        )


def requests_of(actor: "Actor", patient: "Patient") -> "list[Request] | None":
    """What a patient's page shows of liaison."""
    from relais.liaison.queries.sheet import of_patient  # noqa: PLC0415 (models are not ready when this file is read)

    return of_patient(actor, patient)


def keeps_or_runs(actor: "Actor") -> bool:
    """Whether the entry of the requests that nobody has is drawn: to managers of a nursing home or of an on-call."""
    from relais.directory.models import Establishment, Service  # noqa: PLC0415 (models are not ready when this file is read)
    from relais.liaison.permissions import HOMES, can_watch  # noqa: PLC0415
    from relais.liaison.queries.request import REACHED  # noqa: PLC0415

    if actor.establishment_id is None or not can_watch(actor):
        return False
    held = Service.objects.filter(establishment_id=actor.establishment_id, need__in=REACHED, active=True)
    return Establishment.objects.filter(pk=actor.establishment_id, kind__in=HOMES).exists() or held.exists()
