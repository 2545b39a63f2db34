from uuid import UUID

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MeetingsConfig(AppConfig):
    name = "relais.meetings"

    def ready(self) -> None:
        from relais.core import navigation  # noqa: PLC0415 (models are not loaded before ready)
        from relais.meetings import messages  # noqa: PLC0415
        from relais.meetings.permissions.places import can_see_places, still_welcome  # noqa: PLC0415
        from relais.meetings.views.places import tray  # noqa: PLC0415
        from relais.patients import spaces  # noqa: PLC0415
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
            )
        )
        navigation.register(
            navigation.NavItem(
                key="meetings.meetings",
                label=_("Réunions"),
                icon="users-group",
                url_name="meetings:meetings",
                visible=can_see_places,
                order=30,
            )
        )
        navigation.register_tray(tray)
        messages.register_all()
        spaces.register(spaces.Space(url_name="meeting_guest:call", opens=opens))


def opens(about: UUID) -> bool:
    """Whether what a way in is about is a meeting."""
    from relais.meetings.models import Meeting  # noqa: PLC0415 (models are not ready when this file is read)

    return Meeting.objects.filter(pk=about).exists()
