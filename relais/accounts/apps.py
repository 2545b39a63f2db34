from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "relais.accounts"

    def ready(self) -> None:
        from relais.accounts import messages, queries  # noqa: PLC0415  models are loaded only now
        from relais.accounts.models import Role  # noqa: PLC0415
        from relais.core import navigation  # noqa: PLC0415

        messages.register_all()
        navigation.identify_with(queries.identity)
        navigation.register(
            navigation.NavItem(
                key="members",
                label=_("Membres"),
                icon="users",
                url_name="accounts:members",
                visible=lambda actor: actor.has_role(Role.MANAGER),
                order=800,
            )
        )
