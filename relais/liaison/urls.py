"""Addresses of liaison, for professionals."""

from django.urls import URLPattern, path

from relais.liaison.views import asking, deciding, documents, lists, notes, request, resident

app_name = "liaison"
urlpatterns: list[URLPattern] = [
    path("", lists.home, name="home"),
    path("astreinte/", lists.on_call, name="on_call"),
    path("residents/", resident.residents, name="residents"),
    path("residents/choisir/", resident.pick, name="pick"),
    path("residents/<uuid:patient_id>/", resident.sheet, name="sheet"),
    path("residents/<uuid:patient_id>/demander/", asking.start, name="start"),
    path("documents/<uuid:document_id>/", documents.document, name="document"),
    path("notes/<uuid:note_id>/corriger/", notes.amend, name="amend"),
    path("releves/<uuid:hand_over_id>/", deciding.hand_over, name="hand_over"),
    path("releves/<uuid:hand_over_id>/accepter/", deciding.accept, name="accept"),
    path("<uuid:dossier_id>/", request.page, name="request"),
    path("<uuid:dossier_id>/saisie/", asking.fill, name="fill"),
    path("<uuid:dossier_id>/brouillon/", asking.keep, name="keep"),
    path("<uuid:dossier_id>/notes/", notes.add, name="add_note"),
    path("<uuid:dossier_id>/lues/", notes.mark_read, name="mark_read"),
    path("<uuid:dossier_id>/documents/", documents.add, name="add_document"),
    path("<uuid:dossier_id>/decision/", deciding.decide, name="decide"),
    path("<uuid:dossier_id>/visio/", request.room, name="room"),
    path("<uuid:dossier_id>/<str:verb>/", request.verb, name="verb"),
]
