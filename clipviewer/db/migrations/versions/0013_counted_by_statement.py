"""counted by statement: PostgreSQL counts the clips of a statement at once, since the same row changed ten thousand times is slow there"""

from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

CLIPS = (('identified_clip', 'identified'), ('exported_clip', 'exported'))


def upgrade() -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table, count in CLIPS:
        added = (
            f"UPDATE video_tally t SET {count} = t.{count} + n.clips, active_at = greatest(t.active_at, n.newest) "
            "FROM (SELECT video_id, count(*) AS clips, max(created_at) AS newest FROM changed GROUP BY video_id) n "
            "WHERE t.video_id = n.video_id; "
            "INSERT INTO search_entry(owner, video_id, body) SELECT id, video_id, title FROM changed;"
        )
        gone = (
            f"UPDATE video_tally t SET {count} = t.{count} - n.clips "
            "FROM (SELECT video_id, count(*) AS clips FROM changed GROUP BY video_id) n WHERE t.video_id = n.video_id; "
            "DELETE FROM search_entry WHERE owner IN (SELECT id FROM changed);"
        )
        _replace(table, 'listed', 'INSERT', added, 'REFERENCING NEW TABLE AS changed FOR EACH STATEMENT')
        _replace(table, 'unlisted', 'DELETE', gone, 'REFERENCING OLD TABLE AS changed FOR EACH STATEMENT')


def downgrade() -> None:
    if op.get_bind().dialect.name != 'postgresql':
        return
    for table, count in CLIPS:
        added = (
            f"UPDATE video_tally SET {count} = {count} + 1, active_at = greatest(active_at, NEW.created_at) WHERE video_id = NEW.video_id; "
            "INSERT INTO search_entry(owner, video_id, body) VALUES (NEW.id, NEW.video_id, NEW.title);"
        )
        gone = f"UPDATE video_tally SET {count} = {count} - 1 WHERE video_id = OLD.video_id; DELETE FROM search_entry WHERE owner = OLD.id;"
        _replace(table, 'listed', 'INSERT', added, 'FOR EACH ROW')
        _replace(table, 'unlisted', 'DELETE', gone, 'FOR EACH ROW')


def _replace(table: str, name: str, event: str, work: str, of: str) -> None:
    run = op.get_bind().exec_driver_sql
    run(f"DROP FUNCTION {table}_{name} CASCADE")
    run(f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {work} RETURN NULL; END $$")
    run(f"CREATE TRIGGER {table}_{name} AFTER {event} ON {table} {of} EXECUTE FUNCTION {table}_{name}()")
