"""What the help desk and the home page add to the rail."""

from django.utils.translation import gettext_lazy as _

from relais.core import navigation
from relais.portal.permissions import can_serve


def register_all() -> None:
    navigation.register(
        navigation.NavItem(key="home", label=_("Accueil"), icon="home", url_name="portal:home", order=0)
    )
    navigation.register(
        navigation.NavItem(
            key="desk",
            label=_("Demandes d’aide"),
            icon="lifebuoy",
            url_name="portal:desk",
            visible=can_serve,
            order=700,
        )
    )
    navigation.register(
        navigation.NavItem(key="guides", label=_("Guides"), icon="book", url_name="portal:guides", order=900)
    )
