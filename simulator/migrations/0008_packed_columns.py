"""What is packed already is stored as it is: PostgreSQL would try to compress each value anew, in vain."""

from django.db import migrations

COLUMNS = (("snapshot", "blob"), ("keyframe", "blob"), ("beginning", "blob"), ("outputbatch", "chunks"), ("tracebatch", "events"))


def _storage(kind):
    def change(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            quote = schema_editor.quote_name
            for model, column in COLUMNS:
                table = apps.get_model("simulator", model)._meta.db_table
                schema_editor.execute(f"ALTER TABLE {quote(table)} ALTER COLUMN {quote(column)} SET STORAGE {kind}")

    return change


class Migration(migrations.Migration):
    dependencies = [("simulator", "0007_keyframe_cost")]

    operations = [migrations.RunPython(_storage("EXTERNAL"), _storage("EXTENDED"))]
