from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "relais.notifications"

    def ready(self) -> None:
        from relais.notifications import checks, messages, registry  # noqa: F401, PLC0415 (models are not loaded before)

        registry.register(messages.Code())
