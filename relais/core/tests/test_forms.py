"""Every form is labelled, explained, marked and summed up in the same way."""

import datetime

import pytest
from bs4 import BeautifulSoup
from django import forms as django_forms
from django.core.files.uploadedfile import SimpleUploadedFile

from relais.core import forms
from relais.core.errors import Refused
from relais.core.views_kit import KitForm


def soup(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def test_a_field_names_its_hint_and_its_error_to_screen_readers() -> None:
    form = KitForm({"birth_date": "31/02/1954"})
    page = soup(str(form))
    field = page.find(id="id_birth_date")
    assert field["aria-invalid"] == "true"
    for name in field["aria-describedby"].split():
        assert page.find(id=name).get_text(strip=True)
    assert "is-invalid" in field["class"]


def test_the_summary_of_errors_links_to_an_input_of_each_field() -> None:
    page = soup(str(KitForm({})))
    summary = page.find(class_="error-summary")
    assert summary["role"] == "alert"
    targets = [link["href"][1:] for link in summary.find_all("a")]
    assert len(targets) == len([field for field in KitForm().fields.values() if field.required])
    assert all(page.find(id=target).name in ("input", "select", "textarea") for target in targets)


def test_a_form_without_errors_has_no_summary() -> None:
    assert soup(str(KitForm())).find(class_="error-summary") is None


def test_each_field_says_whether_it_must_be_filled_in() -> None:
    page = soup(str(KitForm()))
    assert "(obligatoire)" in page.find("label", {"for": "id_family_name"}).get_text()
    assert "(facultatif)" in page.find("label", {"for": "id_email"}).get_text()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("email", {"type": "email", "inputmode": "email"}),
        ("phone", {"type": "tel", "inputmode": "tel"}),
        ("day", {"type": "date"}),
        ("hour", {"type": "time"}),
        ("code", {"inputmode": "numeric", "autocomplete": "one-time-code"}),
    ],
)
def test_an_input_brings_the_right_keyboard(name: str, expected: dict[str, str]) -> None:
    field = soup(str(KitForm())).find(id=f"id_{name}")
    assert {key: field[key] for key in expected} == expected
    assert "form-control" in field["class"]


def test_ids_are_unique_in_a_form() -> None:
    ids = [tag["id"] for tag in soup(str(KitForm({}))).find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_a_refusal_stands_beside_its_field_or_on_top() -> None:
    form = KitForm({})
    form.refuse(Refused("Ce créneau vient d’être pris.", field="hour"))
    form.refuse(Refused("Le dossier est clos.", field="elsewhere"))
    assert "Ce créneau vient d’être pris." in form.errors["hour"]
    assert form.non_field_errors() == ["Le dossier est clos."]


@pytest.mark.parametrize("typed", ["03/02/1954", "3/2/1954", "03021954", "1954-02-03", " 03.02.1954 ", "03-02-1954"])
def test_a_birth_date_is_understood_as_people_type_it(typed: str) -> None:
    assert forms.BirthDateField().clean(typed) == datetime.date(1954, 2, 3)


@pytest.mark.parametrize("typed", ["31/02/1954", "03/02/54", "hier", "01/01/2999", "01/01/1850"])
def test_an_impossible_birth_date_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(django_forms.ValidationError) as refused:
        forms.BirthDateField().clean(typed)
    assert refused.value.messages[0].endswith(".")


def test_a_file_field_takes_a_file() -> None:
    form = KitForm({}, {"photo": SimpleUploadedFile("a.pdf", b"x")})
    assert "photo" not in form.errors
