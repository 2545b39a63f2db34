from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DirectoryConfig(AppConfig):
    name = "relais.directory"

    def ready(self) -> None:
        from relais.core.navigation import NavItem, register  # noqa: PLC0415  models are loaded only now

        register(
            NavItem(
                key="directory", label=_("Annuaire"), icon="building-hospital", url_name="directory:services", order=600
            )
        )
