"""`manage.py worker`: runs the jobs and the periodic schedule."""

import asyncio
from typing import Any, cast

from django.core.management.base import BaseCommand
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector

from relais.core import lifeline


class Command(BaseCommand):
    help = "Run jobs and the periodic schedule (config/schedule.py) until SIGTERM; running jobs finish first."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.follow()
        asyncio.run(self._work())

    async def _work(self) -> None:
        connector = cast(DjangoConnector, app.connector).get_worker_connector()
        with app.replace_connector(connector) as worker_app:
            async with worker_app.open_async():
                await worker_app.run_worker_async()
