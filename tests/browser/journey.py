"""What journeys share: a house with its people, the keyboard, telephones, windows side by side, pictures of guides."""

import io
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image, ImageDraw

from relais.accounts.models import Membership, Role
from relais.accounts.testing import PASSWORD, actor_for, make_establishment, make_member, make_practitioner
from relais.directory.models import Establishment
from relais.notifications.testing import MailServer, SmsGateway
from relais.patients.models import Grant, Patient
from relais.patients.testing import make_patient
from relais.portal.templatetags.guides import FOLDER
from relais.teleconsultation.actions import access, booking
from relais.teleconsultation.models import Opening, Reason, Teleconsultation

TELEPHONE: dict[str, Any] = {"width": 320, "height": 640, "is_mobile": True, "has_touch": True}
PICTURES = {320: 640, 1280: 800}
HEAVIEST = 80_000  # bytes of a guide's picture
CHIMES = "window.chimes = []; document.addEventListener('relais:chime', (e) => window.chimes.push(e.detail.heard));"
HASHERS = ["relais.core.hashers.Argon2"]
MAIL, MOBILE = "camille.durand@exemple.test", "06 39 98 00 42"


@dataclass
class House:
    """An establishment with a doctor and a secretary, both with a password and a mobile number."""

    place: Establishment
    doctor: Membership
    secretary: Membership


@pytest.fixture
def house(site: Any, settings: Any) -> House:
    settings.PASSWORD_HASHERS = HASHERS  # the running site knows no quick ones
    settings.PUBLIC_URL = site.base  # links of messages that the jobs draw here
    place = make_establishment("Centre de santé des Tilleuls", phone="01 99 00 12 34")
    doctor = make_practitioner(
        place, family_name="Martin", given_name="Claire", password=PASSWORD, mobile="+33639980001"
    )
    secretary = make_member(
        place, Role.SECRETARY, family_name="Petit", given_name="Anne", password=PASSWORD, mobile="+33639980002"
    )
    return House(place, doctor, secretary)


@dataclass
class Booked:
    """An appointment that was booked, and the patient's way in."""

    tele: Teleconsultation
    grant: Grant

    @property
    def path(self) -> str:
        return f"/teleconsultation/{self.tele.pk}/"


def book(house: House, *, starts_in: timedelta = timedelta(minutes=2), patient: Patient | None = None,
         email: str = MAIL, phone: str = "", **contact: str) -> Booked:  # fmt: skip
    """By the action itself, so that room, invitation and messages are there; without a number no code is asked."""
    tele = booking.book(
        actor=actor_for(house.secretary),
        patient=patient or make_patient(seen_by=house.place),
        practitioner_id=house.doctor.user_id,
        starts_at=timezone.now() + starts_in,
        minutes=20,
        reason=Reason.CONSULTATION,
        contact=access.Contact(email, phone, **contact),
    )
    grant = access.main_grant(tele)
    assert grant is not None
    return Booked(tele, grant)


def open_hours_now(doctor: Membership) -> datetime:
    """Hours with slots of ten minutes, the first of them so near that the patient may already enter. Its start."""
    local = timezone.localtime()
    start = (local + timedelta(minutes=4)).replace(second=0, microsecond=0)
    if start.date() > local.date() or start.time() > time(23, 30):  # no slot goes over midnight
        start = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    Opening.objects.create(
        practitioner=doctor.user,
        establishment=doctor.establishment,
        weekday=start.weekday(),
        starts=start.time(),
        ends=min(start + timedelta(minutes=40), start.replace(hour=23, minute=59)).time(),
        minutes=10,
    )
    return start


def tab_to(page: Any, target: Any, most: int = 60) -> None:
    """Press Tab until `target` has the focus, and is seen to have it."""
    for _press in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("(element) => element === document.activeElement"):
            return
    pytest.fail(f"{target} is not reached by {most} presses of Tab")


def tab_and_type(page: Any, label: str, text: str) -> None:
    """Tab to the field of that label and type."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(text)


def press(page: Any, role: str, name: str, key: str = "Enter") -> None:
    """Tab to a button or link of the page's content and press it."""
    tab_to(page, page.get_by_role(role, name=name, exact=True).first)
    page.keyboard.press(key)


def see(page: Any, text: str) -> None:
    """Until these words are on the screen (pages keep sentences that are not shown yet)."""
    page.get_by_text(text).filter(visible=True).first.wait_for()


def code_in(text: str) -> str:
    """The six digits of a message."""
    found = re.search(r"\b(\d{3}) ?(\d{3})\b", text)
    assert found, text
    return found[1] + found[2]


def plain(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(text: str) -> str:
    found = re.search(r"https?://\S+/p/[0-9a-f-]{36}/\S*", text)
    assert found, text
    return found[0].rstrip(".,")


def said(text: str, what: str) -> str:
    """What a message gives after `what` and a colon."""
    found = re.search(rf"{what} : (\S+)", text, re.IGNORECASE)
    assert found, text
    return found[1].rstrip(".,")


def sign_in_with_code(
    page: Any, who: Membership, run_jobs: Callable[[], int], gateway: SmsGateway, *, again: bool = False
) -> None:
    """Password, then the code that arrives by SMS: by keyboard alone, from the sign-in page to the home page.

    `again`: up to the code alone; the site leads back to where the person was.
    """
    page.keyboard.type(who.user.email)  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    press(page, "button", f"Recevoir un code par SMS au •• •• •• •• {who.user.mobile[-2:]}")
    page.get_by_label("Code à 6 chiffres").wait_for()
    run_jobs()
    page.keyboard.type(code_in(gateway.to(who.user.mobile)[-1]))
    page.keyboard.press("Enter")
    if again:
        return
    press(page, "link", "Plus tard, continuer")
    page.get_by_role("heading", name="Bonjour, ").wait_for()


def enter_space(
    page: Any, mail_server: MailServer, gateway: SmsGateway, run_jobs: Callable[[], int], *, mail: str = MAIL
) -> None:
    """From the two messages to the space: the link of the mail, login, the password of the SMS, the code of the SMS."""
    number = "+33" + MOBILE.replace(" ", "")[1:]
    text = plain(mail_server.to(mail)[-1])
    page.goto(link_in(text))
    page.get_by_label("Identifiant").fill(said(text, "Identifiant"))
    page.get_by_label("Mot de passe").fill(said(gateway.to(number)[-1], "Mot de passe"))
    page.get_by_role("button", name="Entrer").click()
    page.get_by_label("Code à 6 chiffres").wait_for()
    run_jobs()
    page.keyboard.type(code_in(gateway.to(number)[-1]))
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Votre rendez-vous vidéo").wait_for()


def window_of(page: Any, open_it: Callable[[], None]) -> Any:
    """The new window that `open_it` opens; what it complains of counts as the page's."""
    with page.context.expect_page() as opened:
        open_it()
    new = opened.value
    new.expected, new.errors = page.expected, page.errors
    new.on("console", lambda m: page.errors.append(m.text) if m.type in ("error", "warning") else None)
    new.on("pageerror", lambda error: page.errors.append(str(error)))
    new.wait_for_load_state()
    return new


def photograph() -> dict[str, Any]:
    """A JPEG as a telephone gives it: a prescription on a table, synthetic."""
    picture = Image.new("RGB", (1200, 1600), "#8d7a66")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((180, 160, 1020, 1440), fill="#fdfcf7")
    for line in range(14):
        pen.rectangle((260, 300 + line * 70, 700 + (line * 97) % 240, 318 + line * 70), fill="#5b6470")
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=80)
    return {"name": "IMG_0042.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}


@pytest.fixture
def picture() -> Callable[..., None]:
    """`picture(name, page, part="")`: the guide's picture of what the page shows now, or of one part of it.

    Only with UPDATE_PICTURES=1: pictures belong to the repository and change when screens do.
    """

    def take(name: str, page: Any, part: str = "") -> None:
        if not os.environ.get("UPDATE_PICTURES"):
            return
        before = page.viewport_size
        width = 1280 if before["width"] > 600 else 320
        page.set_viewport_size({"width": width, "height": PICTURES[width]})
        shown = page.locator(part).first if part else page
        content = shown.screenshot(animations="disabled", caret="initial")
        page.set_viewport_size(before)
        small = Image.open(io.BytesIO(content)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        FOLDER.mkdir(exist_ok=True)
        small.save(FOLDER / f"{name}.png", optimize=True)
        assert (FOLDER / f"{name}.png").stat().st_size < HEAVIEST, name

    return take
