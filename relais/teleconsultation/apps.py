from django.apps import AppConfig


class TeleconsultationConfig(AppConfig):
    name = "relais.teleconsultation"

    def ready(self) -> None:
        from relais.dossiers import registry  # noqa: PLC0415 (models are not loaded before ready)
        from relais.teleconsultation import kind, messages  # noqa: PLC0415

        registry.register(kind.KIND)
        messages.register_all()
