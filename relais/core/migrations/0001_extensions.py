from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations

# unaccent() is only STABLE because its dictionary can change; ours does not, and generated columns need IMMUTABLE.
FOLD = r"""
CREATE FUNCTION relais_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT btrim(regexp_replace(public.unaccent('public.unaccent'::regdictionary, lower(value)), '[^[:alnum:]]+', ' ', 'g'))
$$
"""


class Migration(migrations.Migration):
    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(FOLD, "DROP FUNCTION relais_fold(text)"),
    ]
