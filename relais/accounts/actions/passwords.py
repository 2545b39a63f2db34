"""Links to choose a password: for those who forgot theirs, and for those who were invited.

The link carries its secret in the fragment (after #), which no server log sees; it works once, and only the last one.
A password chosen so opens no session: the second factor is asked at sign-in as always.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from relais.accounts import messages
from relais.accounts.actions import attempts
from relais.accounts.actions.sessions import actor_of_user, end_all_sessions
from relais.accounts.models import User
from relais.audit.actions import record
from relais.core.errors import Refused
from relais.notifications.models import Message

RESET, INVITATION = "reset", "invitation"
VALID = {RESET: timedelta(hours=1), INVITATION: timedelta(hours=72)}
RESETS_AN_HOUR = 3
SALT = "relais.accounts.link"


def new_link(user: User, purpose: str) -> str:
    """A fresh address where `user` may choose a password; the ones sent before stop working."""
    User.objects.filter(pk=user.pk).update(link_serial=F("link_serial") + 1)
    user.refresh_from_db(fields=["link_serial"])
    token = signing.dumps([purpose, str(user.pk), _fingerprint(user)], salt=SALT)
    return f"{settings.PUBLIC_URL}{reverse('accounts:choose_password')}#{token}"


def ask_new_password(*, email: str) -> None:
    """Send a link to choose a new password, if somebody has this address; whoever asks learns nothing.

    At most three an hour for one account; more are dropped in silence.
    """
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        return
    with transaction.atomic():
        User.objects.select_for_update(of=("self",)).get(pk=user.pk)
        since = timezone.now() - timedelta(hours=1)
        sent = Message.objects.filter(type=messages.RESET, holder_id=user.pk, created_at__gt=since).count()
        if sent >= RESETS_AN_HOUR:
            return
        messages.send(messages.RESET, user, secret={"link": new_link(user, RESET)})
        record(actor=actor_of_user(user), action="accounts.ask_password", about=user.pk)


def set_password_by_link(*, token: str, password: str) -> User:
    """The password of the account that `token` opens; every session of it ends, none begins.

    Raises Refused for a link that is wrong, used, replaced or too old, and beside `password1` for a weak password.
    """
    with transaction.atomic():
        user = _owner(token)
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Refused(" ".join(error.messages), field="password1") from None
        user.set_password(password)
        user.link_serial += 1
        user.password_by_link = True
        user.save(update_fields=["password", "link_serial", "password_by_link"])
        attempts.succeeded((attempts.ACCOUNT, user.email))
        end_all_sessions(actor=actor_of_user(user), user_id=user.pk, why="password")
        record(actor=actor_of_user(user), action="accounts.set_password", about=user.pk)
        messages.send(messages.CHANGED, user, context={"what": "password"})
    return user


def _owner(token: str) -> User:
    """The account that `token` opens, locked. Raises Refused alike for every way to be wrong."""
    wrong = Refused(_("Ce lien n’est plus valable. Demandez-en un nouveau."), field="token")
    try:
        purpose, user_id, fingerprint = signing.loads(token.strip(), salt=SALT, max_age=max(VALID.values()))
        signing.loads(token.strip(), salt=SALT, max_age=VALID[purpose])
    except (signing.BadSignature, ValueError, KeyError, TypeError):
        raise wrong from None
    user = User.objects.select_for_update(of=("self",)).filter(pk=user_id, is_active=True).first()
    if user is None or not constant_time_compare(fingerprint, _fingerprint(user)):
        raise wrong
    return user


def _fingerprint(user: Any) -> str:
    state = f"{user.pk}|{user.email}|{user.password}|{user.link_serial}"
    return salted_hmac(SALT, state, algorithm="sha256").hexdigest()[:32]
