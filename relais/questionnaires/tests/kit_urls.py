"""A questionnaire with a question of every type, whole or one a screen, without a database."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from relais.core.access import public
from relais.questionnaires import views
from relais.questionnaires.form import read
from relais.questionnaires.tests.make import (
    choice,
    coded,
    extension,
    option,
    question,
    resource,
    temperature,
    when,
)

HELP = {"coding": [{"code": "help"}]}


def unit(code: str, display: str) -> dict[str, object]:
    return extension(
        "questionnaire-unit", valueCoding={"system": "http://unitsofmeasure.org", "code": code, "display": display}
    )


def helped(raw: dict[str, object], text: str) -> dict[str, object]:
    control = extension("questionnaire-itemControl", valueCodeableConcept=HELP)
    return raw | {"item": [question(f"{raw['linkId']}.aide", "display", text) | {"extension": [control]}]}


def proxy(text: str) -> dict[str, object]:
    return extension("urn:relais:proxy-text", valueString=text)


FORM = read(
    resource(
        question("intro", "display", "Ce questionnaire prend deux minutes."),
        question("mesuree", "boolean", "Avez-vous pu mesurer votre température ?", required=True),
        temperature(required=True, enableWhen=[when("mesuree", "=", answerBoolean=True)]),
        helped(
            question(
                "fr",
                "integer",
                "Fréquence respiratoire",
                code=[{"system": "http://loinc.org", "code": "9279-1"}],
                extension=[unit("/min", "par minute"), extension("minValue", valueInteger=6)],
            ),
            "Comptez vos respirations pendant une minute.",
        ),
        choice("toux", "non", "seche", "grasse", text="Toux", required=True)
        | {"extension": [proxy("Votre proche tousse-t-il ?")]},
        question(
            "digestif",
            "choice",
            "Troubles digestifs",
            repeats=True,
            answerOption=[
                option("non", "Aucun", exclusive=True),
                option("nausees", "Nausées"),
                option("dia", "Diarrhée"),
            ],
        ),
        question(
            "langue", "open-choice", "Langue parlée", answerOption=[option("fr", "Français"), option("en", "Anglais")]
        ),
        question(
            "j0", "date", "Date des premiers symptômes", extension=[extension("urn:relais:days-max", valueInteger=0)]
        ),
        question("heure", "time", "Heure de la dernière prise"),
        {
            "linkId": "aidant",
            "type": "group",
            "text": "Aidant à contacter",
            "repeats": True,
            "item": [
                question("aidant.nom", "string", "Nom", required=True),
                choice("aidant.lien", "conjoint", "voisin", text="Lien"),
                question(
                    "aidant.etage",
                    "string",
                    "Étage",
                    enableWhen=[when("aidant.lien", "=", answerCoding=coded("voisin"))],
                ),
            ],
        },
        {
            "linkId": "suite",
            "type": "group",
            "text": "Pour finir",
            "item": [
                question("allergies", "string", "Allergies", repeats=True),
                question("medecin", "reference", "Médecin traitant (numéro RPPS)"),
                question("photo", "attachment", "Photo", extension=[extension("mimeType", valueCode="image/*")]),
                question("note", "text", "Message à l’équipe", maxLength=500),
                question(
                    "consigne",
                    "boolean",
                    "J’ai lu les consignes",
                    required=True,
                    extension=[{"url": "urn:relais:must-be-true", "valueBoolean": True}],
                ),
            ],
        },
    )
)


@public
def kit(request: HttpRequest) -> HttpResponse:
    return views.show(request, FORM, [])


urlpatterns = [path("", kit, name="kit"), path("p/", kit, name="kit_patient")]
