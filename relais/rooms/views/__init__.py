"""Pages and answers of rooms; the same functions serve professionals (/salles/) and patients (/p/salles/)."""
