"""Addresses of teleconsultation, for professionals."""

from django.urls import path

from relais.teleconsultation.views import (
    agenda,
    booking,
    call,
    covid,
    dashboard,
    dossier,
    history,
    preparation,
    prescription,
    report,
)

app_name = "teleconsultation"
urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("reserver/", booking.book, name="book"),
    path("reserver/creneaux/", booking.slot_grid, name="slots"),
    path("agenda/", agenda.agenda, name="agenda"),
    path("agenda/<uuid:practitioner_id>/", agenda.add_hours, name="add_hours"),
    path("agenda/<slug:kind>/<uuid:row_id>/retirer/", agenda.remove_hours, name="remove_hours"),
    path("historique/", history.history, name="history"),
    path("patient/<uuid:patient_id>/", dossier.of_patient, name="of_patient"),
    path("document/<uuid:document_id>/", dossier.document, name="document"),
    path("document/<uuid:document_id>/<slug:verb>/", dossier.document_verb, name="document_verb"),
    path("<uuid:dossier_id>/", dossier.dossier, name="dossier"),
    path("<uuid:dossier_id>/rejoindre/", call.join, name="join"),
    path("<uuid:dossier_id>/appel/", call.page, name="call"),
    path("<uuid:dossier_id>/inviter/", call.invite, name="invite"),
    path("<uuid:dossier_id>/deplacer/", dossier.reschedule, name="reschedule"),
    path("<uuid:dossier_id>/praticien/", dossier.reassign, name="reassign"),
    path("<uuid:dossier_id>/coordonnees/", dossier.contact, name="contact"),
    path("<uuid:dossier_id>/document/", dossier.add_document, name="add_document"),
    path("<uuid:dossier_id>/capture/", dossier.capture, name="capture"),
    path("<uuid:dossier_id>/note/", dossier.add_note, name="add_note"),
    path("<uuid:dossier_id>/acces/", dossier.readers, name="readers"),
    path("<uuid:dossier_id>/preparation/<uuid:file_id>/", preparation.file, name="preparation_file"),
    path("<uuid:dossier_id>/covid/", covid.covid, name="covid"),
    path("<uuid:dossier_id>/compte-rendu/", report.edit, name="report"),
    path("<uuid:dossier_id>/compte-rendu/presence/", report.presence, name="report_presence"),
    path("<uuid:dossier_id>/compte-rendu/maintenant/", report.now, name="report_now"),
    path("<uuid:dossier_id>/compte-rendu/rubrique/", report.save_section, name="save_section"),
    path("<uuid:dossier_id>/compte-rendu/ajouter/", report.add, name="add_report"),
    path("<uuid:dossier_id>/ordonnance/", prescription.start, name="prescription"),
    path("<uuid:dossier_id>/ordonnance/code/", prescription.code, name="prescription_code"),
    path("<uuid:dossier_id>/ordonnance/saisir/", prescription.write, name="write_prescription"),
    path("<uuid:dossier_id>/<slug:verb>/", dossier.verb, name="verb"),
]
