"""Every write about professionals, their memberships and their ways in."""

from relais.accounts.actions.members import add_member, change_role, invite_member, remove_member, send_invitation
from relais.accounts.actions.passwords import ask_new_password, set_password_by_link
from relais.accounts.actions.professionals import (
    change_mobile,
    create_professional,
    remove_factors,
    serve_help_desk,
)
from relais.accounts.actions.sessions import choose_establishment, end_all_sessions, end_session

__all__ = [
    "add_member",
    "ask_new_password",
    "change_mobile",
    "change_role",
    "choose_establishment",
    "create_professional",
    "end_all_sessions",
    "end_session",
    "invite_member",
    "remove_factors",
    "remove_member",
    "send_invitation",
    "serve_help_desk",
    "set_password_by_link",
]
