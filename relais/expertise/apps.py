from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from relais.core.actor import Actor
    from relais.expertise.models import Expertise
    from relais.patients.models import Patient


class ExpertiseConfig(AppConfig):
    name = "relais.expertise"

    def ready(self) -> None:
        from relais.core.navigation import NavItem, register  # noqa: PLC0415
        from relais.dossiers import registry, sequels  # noqa: PLC0415 (models are not loaded before ready)
        from relais.expertise import kind, messages  # noqa: PLC0415
        from relais.expertise.actions.keeping import follow_death  # noqa: PLC0415
        from relais.expertise.actions.meeting import still_welcome  # noqa: PLC0415
        from relais.expertise.actions.watch import follow_pool  # noqa: PLC0415
        from relais.expertise.permissions import can_ask, can_see_figures  # noqa: PLC0415
        from relais.expertise.queries.request import standings  # noqa: PLC0415
        from relais.oncall import changes  # noqa: PLC0415
        from relais.patients import deaths, sections  # noqa: PLC0415
        from relais.rooms.permissions import gates  # noqa: PLC0415

        gates.append(still_welcome)
        registry.register(kind.KIND)
        sequels.describe(kind.KIND.key, standings)
        messages.register_all()
        deaths.register(follow_death)
        changes.register(follow_pool)
        # TC-03: in the same bar as teleconsultation, for the same session and establishment.
        register(
            NavItem(
                key="expertise.worklist",
                label=_("Télé-expertise"),
                icon="stethoscope",
                url_name="expertise:worklist",
                visible=can_ask,
                order=14,
                in_banner=True,
            )
        )
        register(
            NavItem(
                key="expertise.figures",
                label=_("Télé-expertise : chiffres"),
                icon="chart-bar",
                url_name="expertise:figures",
                visible=can_see_figures,
                order=15,
            )
        )
        sections.register(
            sections.Section(key="expertise", order=15, template="expertise/_of_patient.html", load=requests_of)
        )


def requests_of(actor: "Actor", patient: "Patient") -> "list[Expertise] | None":
    """What a patient's page shows of tele-expertise."""
    from relais.expertise.queries.request import of_patient  # noqa: PLC0415 (models are not ready when this file is read)

    return of_patient(actor, patient)
