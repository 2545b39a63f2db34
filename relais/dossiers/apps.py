from django.apps import AppConfig


class DossiersConfig(AppConfig):
    name = "relais.dossiers"

    def ready(self) -> None:
        from relais.dossiers import messages  # noqa: PLC0415 (models are not loaded before ready)
        from relais.dossiers.actions import follow_return  # noqa: PLC0415
        from relais.patients import deaths  # noqa: PLC0415

        messages.register_all()
        deaths.register_return(follow_return)
