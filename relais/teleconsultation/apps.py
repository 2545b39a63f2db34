from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from relais.core.actor import Actor
    from relais.patients.models import Patient
    from relais.teleconsultation.models import Teleconsultation

ENTRIES = [
    ("dashboard", _("Téléconsultation"), "video"),
    ("agenda", _("Agenda"), "calendar"),
    ("history", _("Historique"), "history"),
]


class TeleconsultationConfig(AppConfig):
    name = "relais.teleconsultation"

    def ready(self) -> None:
        from relais.core.navigation import NavItem, register  # noqa: PLC0415
        from relais.dossiers import facts, registry  # noqa: PLC0415 (models are not loaded before ready)
        from relais.patients import deaths, sections  # noqa: PLC0415
        from relais.teleconsultation import kind, messages  # noqa: PLC0415
        from relais.teleconsultation.actions.booking import follow_death  # noqa: PLC0415
        from relais.teleconsultation.content import facts_of  # noqa: PLC0415
        from relais.teleconsultation.permissions import can_book  # noqa: PLC0415

        registry.register(kind.KIND)
        facts.register(kind.KIND.key, facts_of)
        messages.register_all()
        deaths.register(follow_death)
        # TC-02: in the top banner with a camera, and in the rail.
        for order, (key, label, icon) in enumerate(ENTRIES):
            register(
                NavItem(
                    key=f"teleconsultation.{key}",
                    label=label,
                    icon=icon,
                    url_name=f"teleconsultation:{key}",
                    visible=can_book,
                    order=10 + order,
                    in_banner=key == "dashboard",
                )
            )
        # TC-03: the one search leads to a patient's page, which shows every activity.
        sections.register(
            sections.Section(
                key="teleconsultation", order=10, template="teleconsultation/_patient_card.html", load=appointments_of
            )
        )


def appointments_of(actor: "Actor", patient: "Patient") -> "list[Teleconsultation] | None":
    """What a patient's page shows of teleconsultation."""
    from relais.teleconsultation.queries import of_patient  # noqa: PLC0415 (models are not ready when this file is read)

    return of_patient(actor, patient) or None
