from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MeetingsConfig(AppConfig):
    name = "relais.meetings"

    def ready(self) -> None:
        from relais.core import navigation  # noqa: PLC0415 (models are not loaded before ready)
        from relais.meetings.permissions import can_see_places, still_welcome  # noqa: PLC0415
        from relais.meetings.views.places import tray  # noqa: PLC0415
        from relais.rooms.permissions import gates  # noqa: PLC0415

        gates.append(still_welcome)
        navigation.register(
            navigation.NavItem(
                key="meetings.places",
                label=_("Accès salles ESMS"),
                icon="door-enter",
                url_name="meetings:places",
                visible=can_see_places,
                order=5,
                in_banner=True,
            )
        )
        navigation.register_tray(tray)
