from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from relais.core.actor import Actor
    from relais.patients.models import Patient
    from relais.telemonitoring.models import FollowUp


class TelemonitoringConfig(AppConfig):
    name = "relais.telemonitoring"

    def ready(self) -> None:
        from relais.core.navigation import NavItem, register  # noqa: PLC0415
        from relais.dossiers import registry  # noqa: PLC0415 (models are not loaded before ready)
        from relais.patients import deaths, sections, spaces  # noqa: PLC0415
        from relais.telemonitoring import checks, kind, messages  # noqa: F401, PLC0415
        from relais.telemonitoring.actions.states import follow_death  # noqa: PLC0415
        from relais.telemonitoring.permissions import can_enrol, rules_cells_alone  # noqa: PLC0415

        registry.register(kind.KIND)
        messages.register_all()
        deaths.register(follow_death)
        register(
            NavItem(
                key="telemonitoring.cells",
                label=_("Suivi à domicile"),
                icon="home-heart",
                url_name="telemonitoring:cells",
                visible=can_enrol,
                order=20,
            )
        )
        register(
            NavItem(
                key="telemonitoring.cell_list",
                label=_("Cellules de suivi"),
                icon="home-heart",
                url_name="telemonitoring:cell_list",
                visible=rules_cells_alone,
                order=21,
            )
        )
        sections.register(
            sections.Section(
                key="telemonitoring", order=20, template="telemonitoring/_of_patient.html", load=follow_ups_of
            )
        )
        spaces.register(spaces.Space(url_name="follow_up_space:home", opens=opens))
        post_migrate.connect(load, sender=self)


def follow_ups_of(actor: "Actor", patient: "Patient") -> "list[FollowUp] | None":
    """What a patient's page shows of telemonitoring."""
    from relais.telemonitoring.queries.follow_up import of_patient  # noqa: PLC0415 (models are not ready when this file is read)

    return of_patient(actor, patient)


def opens(about: UUID) -> bool:
    """Whether what a way in is about is a follow-up."""
    from relais.telemonitoring.models import FollowUp  # noqa: PLC0415 (models are not ready when this file is read)

    return FollowUp.objects.filter(pk=about).exists()


def load(using: str, **kwargs: Any) -> None:
    """After each migrate the rule sets of this module are there."""
    from relais.telemonitoring.actions import rules  # noqa: PLC0415 (models are not ready when this file is read)
    from relais.telemonitoring.models import RuleSet  # noqa: PLC0415

    if RuleSet._meta.db_table in connections[using].introspection.table_names():
        rules.load_installed()
