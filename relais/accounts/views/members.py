"""The members of the manager's establishment."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from relais.accounts.actions import add_member, change_role, invite_member, remove_member, send_invitation
from relais.accounts.forms import ROLE_HINTS, InviteForm
from relais.accounts.models import Role
from relais.accounts.queries import find_professional, members_page
from relais.core.access import professional
from relais.core.errors import Refused
from relais.directory.identifiers import rpps_warning


@professional(Role.MANAGER)
def members(request: Any) -> HttpResponse:
    page = members_page(
        request.actor.establishment_id, after=request.GET.get("apres", ""), typed=request.GET.get("q", "")
    )
    context = {"page_of_members": page, "typed": request.GET.get("q", ""), "roles": Role.choices, "hints": ROLE_HINTS}
    return render(request, "accounts/members.html", context)


@professional(Role.MANAGER)
def add(request: Any) -> HttpResponse:
    """By e-mail address or RPPS when they have an account, else the rest of the form invites them."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            sentence = _add(request, form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, sentence)
            if form.cleaned_data["rpps"] and (doubt := rpps_warning(form.cleaned_data["rpps"])):
                messages.warning(request, doubt)
            return redirect("accounts:members")
    return render(request, "accounts/add_member.html", {"form": form})


def _add(request: Any, data: dict[str, Any]) -> str:
    establishment_id = request.actor.establishment_id
    known = find_professional(email=data["email"], rpps=data["rpps"])
    if known:
        add_member(actor=request.actor, establishment_id=establishment_id, user=known, role=data["role"])
        return _("%(name)s avait déjà un compte et fait maintenant partie de l’établissement.") % {
            "name": known.full_name
        }
    if not (data["family_name"] and data["given_name"]):
        raise Refused(
            _("Personne n’a encore de compte avec ces éléments. Complétez le nom et le prénom pour l’inviter."),
            field="family_name",
        )
    if not data["email"]:
        raise Refused(_("Indiquez l’adresse e-mail où envoyer l’invitation."), field="email")
    invited = invite_member(actor=request.actor, establishment_id=establishment_id, **data)
    return _("Une invitation part à %(email)s. Le lien est valable 72 heures.") % {"email": invited.user.email}


@professional(Role.MANAGER)
@require_POST
def set_role(request: Any, membership_id: UUID) -> HttpResponse:
    changed = change_role(actor=request.actor, membership_id=membership_id, role=request.POST.get("role", ""))
    messages.success(
        request,
        _("%(name)s est maintenant : %(role)s.") % {"name": changed.user.full_name, "role": changed.get_role_display()},
    )
    return redirect("accounts:members")


@professional(Role.MANAGER)
@require_POST
def remove(request: Any, membership_id: UUID) -> HttpResponse:
    removed = remove_member(actor=request.actor, membership_id=membership_id)
    messages.success(
        request, _("%(name)s n’a plus accès à l’établissement. Ses écrits restent.") % {"name": removed.user.full_name}
    )
    return redirect("accounts:members")


@professional(Role.MANAGER)
@require_POST
def invite_again(request: Any, membership_id: UUID) -> HttpResponse:
    invited = send_invitation(actor=request.actor, membership_id=membership_id)
    messages.success(request, _("Une nouvelle invitation part à %(email)s.") % {"email": invited.user.email})
    return redirect("accounts:members")
