from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PatientsConfig(AppConfig):
    name = "relais.patients"

    def ready(self) -> None:
        from relais.core import navigation  # noqa: PLC0415
        from relais.patients import messages  # noqa: PLC0415 (models are not loaded before)
        from relais.patients import permissions as may  # noqa: PLC0415

        messages.register_all()
        navigation.register(
            navigation.NavItem(
                key="patients",
                label=_("Patients"),
                icon="address-book",
                url_name="patients:search",
                visible=may.can_search,
                order=300,
            )
        )
