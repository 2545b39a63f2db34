"""Who may call a view at all: closed unless the view says otherwise (see middleware.ClosedByDefault)."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required

View = Callable[..., Any]


def public(view: View) -> View:
    """Anyone may call this view. Each one is listed in tests/test_sweep.py."""
    view.access = "public"  # type: ignore[attr-defined]
    return login_not_required(view)


def patient(view: View) -> View:
    """Only the holder of a grant (patient, proxy, guest) may call this view: pages under /p/."""
    view.access = "patient"  # type: ignore[attr-defined]
    return login_not_required(view)


def anyone_inside(view: View) -> View:
    """A signed-in professional or the holder of a grant: rooms, files, live streams."""
    view.access = "inside"  # type: ignore[attr-defined]
    return login_not_required(view)


def professional(*roles: str) -> Callable[[View], View]:
    """Only a professional who holds one of `roles` in the chosen establishment (none given: any role)."""

    def mark(view: View) -> View:
        view.access = "professional"  # type: ignore[attr-defined]
        view.roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def without_establishment(view: View) -> View:
    """A signed-in professional who has not chosen an establishment yet (choice, profile, sign-out)."""
    view.access = "user"  # type: ignore[attr-defined]
    return view
