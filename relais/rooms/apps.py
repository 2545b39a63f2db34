from django.apps import AppConfig


class RoomsConfig(AppConfig):
    name = "relais.rooms"

    def ready(self) -> None:
        from relais.core import listener  # noqa: PLC0415 (models need the registry)
        from relais.rooms.actions import tell_absences  # noqa: PLC0415

        listener.ticks.append(tell_absences)
