"""Pages of patients: for professionals (search, identity), and the patient's own door (entry)."""
