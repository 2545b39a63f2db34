"""Addresses of tele-expertise."""

from django.urls import path

from relais.expertise.views import answer, ask, call, export, figures, request, worklist

app_name = "expertise"
urlpatterns = [
    path("", worklist.worklist, name="worklist"),
    path("historique/", worklist.history, name="history"),
    path("chiffres/", figures.figures, name="figures"),
    path("chiffres/csv/", figures.figures_csv, name="figures_csv"),
    path("nouvelle/", ask.start, name="start"),
    path("services/", ask.services, name="services"),
    path("service/<uuid:service_id>/textes/", answer.wordings, name="wordings"),
    path("textes/<uuid:wording_id>/retirer/", answer.remove_wording, name="remove_wording"),
    path("avis/<uuid:opinion_id>/corriger/", answer.correct, name="correct"),
    path("document/<uuid:document_id>/", request.document, name="document"),
    path("document/<uuid:document_id>/retirer/", request.withdraw, name="withdraw"),
    path("document/<uuid:document_id>/enlever/", ask.detach, name="detach"),
    path("<uuid:dossier_id>/", request.page, name="request"),
    path("<uuid:dossier_id>/fhir.json", export.fhir, name="fhir"),
    path("<uuid:dossier_id>/demande/", ask.draft, name="draft"),
    path("<uuid:dossier_id>/enregistrer/", ask.save, name="save"),
    path("<uuid:dossier_id>/document/", ask.attach, name="attach"),
    path("<uuid:dossier_id>/suite/", ask.follow_up, name="follow_up"),
    path("<uuid:dossier_id>/note/", request.add_note, name="add_note"),
    path("<uuid:dossier_id>/lues/", request.mark_read, name="mark_read"),
    path("<uuid:dossier_id>/acces/", request.readers, name="readers"),
    path("<uuid:dossier_id>/avis/", answer.opinion, name="opinion"),
    path("<uuid:dossier_id>/rejoindre/", call.join, name="join"),
    path("<uuid:dossier_id>/appel/", call.page, name="call"),
    path("<uuid:dossier_id>/confier/<slug:verb>/", answer.pass_on, name="pass_on"),
    path("<uuid:dossier_id>/<slug:verb>/", request.verb, name="verb"),
]
