"""Addresses under /connexion/: ours in the namespace `accounts`, and those of allauth's views that we use, by its names."""

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView

from relais.accounts.views import factors, members, places, profile, sign_in

ours = [
    path("code/", sign_in.code, name="code"),
    path("annuler/", sign_in.cancel, name="cancel"),
    path("bienvenue/", sign_in.welcome, name="welcome"),
    path("mot-de-passe/oublie/", sign_in.ask_password, name="ask_password"),
    path("mot-de-passe/envoye/", sign_in.password_asked, name="password_asked"),
    path("mot-de-passe/choisir/", sign_in.choose_password, name="choose_password"),
    path("etablissement/", places.choose, name="choose"),
    path("profil/", profile.profile, name="profile"),
    path("profil/mobile/", profile.mobile, name="mobile"),
    path("appareils/", profile.devices, name="devices"),
    path("appareils/<int:session_id>/deconnecter/", profile.end_device, name="end_device"),
    path("appareils/deconnecter-partout/", profile.end_everywhere, name="end_everywhere"),
    path("session/", profile.session, name="session"),
    path("membres/", members.members, name="members"),
    path("membres/ajouter/", members.add, name="add_member"),
    path("membres/<uuid:membership_id>/role/", members.set_role, name="set_role"),
    path("membres/<uuid:membership_id>/retirer/", members.remove, name="remove_member"),
    path("membres/<uuid:membership_id>/inviter/", members.invite_again, name="invite_again"),
]

urlpatterns = [
    path("", include((ours, "accounts"))),
    path("", allauth.login, name="account_login"),
    path("quitter/", require_POST(allauth.logout), name="account_logout"),
    path("compte-ferme/", allauth.account_inactive, name="account_inactive"),
    path("confirmer/", allauth.reauthenticate, name="account_reauthenticate"),
    path("mot-de-passe/changer/", allauth.password_change, name="account_change_password"),
    # allauth sends here whoever has no password to change: ours is set by a link.
    path(
        "mot-de-passe/premier/", RedirectView.as_view(pattern_name="accounts:ask_password"), name="account_set_password"
    ),
    path("second-facteur/", mfa.authenticate, name="mfa_authenticate"),
    path("cle/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("securite/", mfa.index, name="mfa_index"),
    path("securite/application/ajouter/", totp.activate_totp, name="mfa_activate_totp"),
    path("securite/application/retirer/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("securite/cles/", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("securite/cles/ajouter/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("securite/cles/<int:pk>/retirer/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
    path("securite/codes/", factors.recovery_codes, name="mfa_view_recovery_codes"),
    path("securite/codes/renouveler/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
