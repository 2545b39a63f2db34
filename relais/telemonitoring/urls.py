"""Addresses of telemonitoring, for professionals."""

from django.urls import path

from relais.telemonitoring.views import answer, bulk, call, cells, enrol, export, follow_up, laboratory, members, rules

app_name = "telemonitoring"
urlpatterns = [
    path("", cells.cells, name="cells"),
    path("inclure/", enrol.enrol, name="enrol"),
    path("inclure/fichier/", bulk.enrol_many, name="enrol_many"),
    path("inclure/fichier/modele.csv", bulk.enrol_model, name="enrol_model"),
    path("cellules/", members.cell_list, name="cell_list"),
    path("cellules/nouvelle/", members.new_cell, name="new_cell"),
    path("cellules/<uuid:cell_id>/", members.cell, name="cell"),
    path("cellules/<uuid:cell_id>/retirer/<uuid:member_id>/", members.remove, name="remove_member"),
    path("regles/", rules.versions, name="rules"),
    path("regles/<uuid:set_id>/", rules.rule_set, name="rule_set"),
    path("regles/brouillons/<uuid:draft_id>/", laboratory.draft, name="draft"),
    path("regles/brouillons/<uuid:draft_id>/regles/<slug:rule_id>/", laboratory.rule, name="draft_rule"),
    path("regles/brouillons/<uuid:draft_id>/rejouer/", laboratory.start_replay, name="draft_replay"),
    path("regles/brouillons/<uuid:draft_id>/publier/", laboratory.publish, name="draft_publish"),
    path("regles/brouillons/<uuid:draft_id>/signer/", laboratory.sign, name="draft_sign"),
    path("regles/brouillons/<uuid:draft_id>/abandonner/", laboratory.drop, name="draft_drop"),
    path("cellules/<uuid:cell_id>/suivis.csv", export.follow_ups_csv, name="follow_ups_csv"),
    path("cellules/<uuid:cell_id>/reponses.csv", export.answers_csv, name="answers_csv"),
    path("<uuid:dossier_id>/", follow_up.follow_up, name="follow_up"),
    path("<uuid:dossier_id>/synthese.pdf", export.summary, name="summary"),
    path("<uuid:dossier_id>/fhir.json", export.fhir, name="fhir"),
    path("<uuid:dossier_id>/appel/", call.call, name="call"),
    path("<uuid:dossier_id>/repondre/", answer.answer, name="answer"),
    path("<uuid:dossier_id>/reponses/<uuid:response_id>/", answer.response, name="response"),
    path("<uuid:dossier_id>/reponses/<uuid:response_id>/<uuid:file_id>/", answer.file, name="file"),
    path("<uuid:dossier_id>/alerte/<slug:verb>/", follow_up.alert, name="alert"),
    path("<uuid:dossier_id>/<slug:verb>/", follow_up.verb, name="verb"),
]
