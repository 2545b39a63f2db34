"""What is forgotten with time: attempts of the day before, sessions that are over."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone
from procrastinate.contrib.django import app

from relais.accounts.actions.attempts import FORGOTTEN
from relais.accounts.models import Attempts


@app.periodic(cron="41 3 * * *")
@app.task(queueing_lock="accounts.forget")
def forget(timestamp: int) -> None:
    """Nothing that still locks, and no open session, is touched."""
    now = timezone.now()
    Attempts.objects.filter(last_at__lt=now - FORGOTTEN).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.filter(~Exists(Session.objects.filter(session_key=OuterRef("session_key")))).delete()
