from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "relais.patients"

    def ready(self) -> None:
        from relais.patients import messages  # noqa: PLC0415 (models are not loaded before)

        messages.register_all()
