from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "relais.portal"

    def ready(self) -> None:
        from relais.portal import checks, messages, navigation  # noqa: PLC0415 (models are not loaded before)

        messages.register_all()
        navigation.register_all()
        checks.register_all()
