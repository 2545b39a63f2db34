"""PDF: what is typed is what is printed, in a document that lasts and can be read aloud."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.core import pdf
from relais.core.errors import Refused
from relais.core.testing.pdfs import letters_of, text_of

AT = datetime(2026, 11, 21, 13, 30, tzinfo=UTC)
TEMPLATE = """
#import "page.typ": *
#let d = json("data.json")
#show: sheet.with(title: d.title, author: "")
= #d.title
#typed(d.text)
"""
SIGNS = "#$*_@<>\\/~`'\"=+-.[](){}&%^|:;,!?§°€«»…–—’0123456789xabcÉéèçœ"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("typst") / "note.typ"
    path.write_text(TEMPLATE)
    return path


def render(template: Path, text: str, title: str = "Note", own: Sequence[str] | None = None) -> bytes:
    return pdf.render(template, {"text": text}, title=title, at=AT, own=own)


@settings(max_examples=150)
@given(text=st.text(alphabet=SIGNS + " \n", min_size=1, max_size=80))
def test_what_is_typed_is_what_is_printed(template: Path, text: str) -> None:
    printed = letters_of(text_of(render(template, text)))
    assert printed == letters_of("Note" + text + "Page1/1")


@settings(max_examples=100)
@given(text=st.text(max_size=60))
def test_any_text_is_printed_or_refused_with_a_sentence(template: Path, text: str) -> None:
    try:
        document = render(template, text)
    except Refused:
        return
    assert document.startswith(b"%PDF-")


@settings(max_examples=100)
@given(text=st.text(max_size=60))
def test_any_text_of_somebody_else_is_printed(template: Path, text: str) -> None:
    assert render(template, text, own=()).startswith(b"%PDF-")


@pytest.mark.parametrize(
    "text",
    ["#panic()", '#import "/etc/passwd"', '#read("data.json")', "$x$ // commentaire", "*gras* _incliné_", "2x3 -> 6"],
)
def test_a_text_is_never_markup(template: Path, text: str) -> None:
    assert letters_of(text) in letters_of(text_of(render(template, text)))


@pytest.mark.parametrize("character", ["😀", "漢", "\ue000"])
def test_a_character_without_a_font_is_named(template: Path, character: str) -> None:
    with pytest.raises(Refused, match="ne peut pas être imprimé"):
        render(template, f"Douleur {character}")


@pytest.mark.parametrize("character", ["😀", "漢", "\ue000", "👩\u200d👧"])
def test_a_character_of_somebody_else_without_a_font_is_a_square_and_each_page_says_so(
    template: Path, character: str
) -> None:
    text = f"Douleur {character} {'Ligne. ' * 2000} fin {character}"
    pages = text_of(render(template, text, title=f"Note {character}", own=["La mienne."])).split("Page ")
    assert len(pages) > 2
    assert all("□ : caractère qui ne s’imprime pas" in page for page in pages[:-1])
    assert "Douleur □" in pages[0]
    assert "fin □" in pages[-2]
    assert "□" not in text_of(render(template, "Douleur", own=()))
    with pytest.raises(Refused, match="« 字 »"):
        render(template, f"Douleur {character} 字", own=["字"])


def test_letters_of_other_alphabets_are_printed(template: Path) -> None:
    text = "Nguyễn Çelik Łódź Привет Ωμέγα ≤ µg ½ → ☐ ☑"
    assert letters_of("Nguyễn Çelik Łódź Привет Ωμέγα") in letters_of(text_of(render(template, text)))


def test_what_is_invisible_or_turns_the_order_around_is_left_out(template: Path) -> None:
    assert "ab50gm05cd" in letters_of(text_of(render(template, "a\x00b\u202e50gm05\u202cc\ud83dd")))


def test_a_document_is_archivable_accessible_in_french_and_carries_its_title(template: Path) -> None:
    with pikepdf.open(io.BytesIO(render(template, "Texte", title="Compte-rendu TC-7KQ4-M2XD"))) as document:
        with document.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("2", "A")
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Compte-rendu TC-7KQ4-M2XD"
        assert str(document.Root.Lang) == "fr"
        assert document.Root.MarkInfo.Marked


def test_the_same_content_gives_the_same_bytes(template: Path) -> None:
    assert render(template, "Texte") == render(template, "Texte")


@pytest.mark.parametrize("source", ['#set text(font: "Police Inconnue")\nTexte', "#let x = ", "= Titre\n#nom"])
def test_a_template_with_an_unknown_font_or_an_error_is_a_bug(tmp_path: Path, source: str) -> None:
    path = tmp_path / "broken.typ"
    path.write_text('#set document(title: "x")\n' + source)
    with pytest.raises(pdf.Broken):
        pdf.render(path, {}, title="x", at=AT)
