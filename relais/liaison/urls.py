"""Addresses of liaison, for professionals."""

from django.urls import URLPattern, path

from relais.liaison.views import (
    asking,
    deciding,
    dlu,
    documents,
    leaving,
    lists,
    notes,
    request,
    resident,
    transfers,
)

app_name = "liaison"
urlpatterns: list[URLPattern] = [
    path("", lists.home, name="home"),
    path("astreinte/", lists.on_call, name="on_call"),
    path("astreinte/demander/", asking.start_for, name="start_for"),
    path("sans-medecin/", lists.nobody, name="nobody"),
    path("residents/", resident.residents, name="residents"),
    path("residents/choisir/", resident.pick, name="pick"),
    path("residents/<uuid:patient_id>/", resident.sheet, name="sheet"),
    path("residents/<uuid:patient_id>/demander/", asking.start, name="start"),
    path("residents/<uuid:patient_id>/dlu/", dlu.page, name="dlu"),
    path("residents/<uuid:patient_id>/dlu/modifier/", dlu.edit, name="dlu_edit"),
    path("residents/<uuid:patient_id>/dlu/pdf/", dlu.print_out, name="dlu_pdf"),
    path("residents/<uuid:patient_id>/dlu/versions/<uuid:response_id>/", dlu.version, name="dlu_version"),
    path("residents/<uuid:patient_id>/dlu/fichiers/<uuid:file_id>/", dlu.file, name="dlu_file"),
    path("residents/<uuid:patient_id>/transfert/", transfers.send_off, name="send_off"),
    path("transferts/<uuid:transfer_id>/", transfers.page, name="transfer"),
    path("transferts/<uuid:transfer_id>/modifier/", transfers.correct, name="correct_transfer"),
    path("transferts/<uuid:transfer_id>/retour/", transfers.take_back, name="take_back"),
    path("transferts/<uuid:transfer_id>/pdf/", transfers.print_out, name="transfer_pdf"),
    path("documents/<uuid:document_id>/", documents.document, name="document"),
    path("notes/<uuid:note_id>/corriger/", notes.amend, name="amend"),
    path("releves/<uuid:hand_over_id>/", deciding.hand_over, name="hand_over"),
    path("releves/<uuid:hand_over_id>/accepter/", deciding.accept, name="accept"),
    path("<uuid:dossier_id>/", request.page, name="request"),
    path("<uuid:dossier_id>/saisie/", asking.fill, name="fill"),
    path("<uuid:dossier_id>/completer/", asking.complete, name="complete"),
    path("<uuid:dossier_id>/brouillon/", asking.keep, name="keep"),
    path("<uuid:dossier_id>/notes/", notes.add, name="add_note"),
    path("<uuid:dossier_id>/lues/", notes.mark_read, name="mark_read"),
    path("<uuid:dossier_id>/documents/", documents.add, name="add_document"),
    path("<uuid:dossier_id>/decision/", deciding.decide, name="decide"),
    path("<uuid:dossier_id>/depart/", leaving.leave, name="leave"),
    path("<uuid:dossier_id>/visio/", request.room, name="room"),
    path("<uuid:dossier_id>/<str:verb>/", request.verb, name="verb"),
]
