"""stale videos: which videos have an export that was made from another file, kept by triggers; and what is counted, in indexes"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

# Two looks into an index (0007), each of which ends at the first job that it finds.
STALE = (
    "(EXISTS (SELECT 1 FROM export_job j JOIN video v ON v.id = j.video_id WHERE j.video_id = {id} AND j.state = 'done' "
    "AND v.etag <> '' AND j.source_etag > v.etag) "
    "OR EXISTS (SELECT 1 FROM export_job j JOIN video v ON v.id = j.video_id WHERE j.video_id = {id} AND j.state = 'done' "
    "AND v.etag <> '' AND j.source_etag > '' AND j.source_etag < v.etag))"
)


def upgrade() -> None:
    op.add_column('video_tally', sa.Column('stale', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index('ix_video_tally_stale', 'video_tally', ['stale', 'video_id'])
    gone, listed = sa.text('missing_at IS NOT NULL'), sa.text('deleted_at IS NULL AND archived_at IS NULL')
    op.create_index('ix_video_missing', 'video', ['id'], sqlite_where=gone, postgresql_where=gone)
    op.create_index('ix_video_listed', 'video', ['created_at', 'id'], sqlite_where=listed, postgresql_where=listed)
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    for statement in _postgresql() if postgresql else _sqlite():
        run(statement)
    run(_told('video_tally.video_id', everywhere=True))


def _told(video_id: str, *, everywhere: bool = False) -> str:
    stale = STALE.format(id=video_id)
    return f"UPDATE video_tally SET stale = {stale} WHERE stale <> {stale}" + ("" if everywhere else f" AND video_id = {video_id}")


def _sqlite() -> list[str]:
    new, old = _told('NEW.video_id'), _told('OLD.video_id')
    return [
        f"CREATE TRIGGER export_job_made AFTER INSERT ON export_job WHEN NEW.state = 'done' BEGIN {new}; END",
        "CREATE TRIGGER export_job_remade AFTER UPDATE OF state, source_etag ON export_job WHEN 'done' IN (OLD.state, NEW.state) "
        f"AND (OLD.state <> NEW.state OR OLD.source_etag <> NEW.source_etag) BEGIN {new}; END",
        f"CREATE TRIGGER export_job_unmade AFTER DELETE ON export_job WHEN OLD.state = 'done' BEGIN {old}; END",
        f"CREATE TRIGGER video_replaced AFTER UPDATE OF etag ON video WHEN OLD.etag <> NEW.etag BEGIN {_told('NEW.id')}; END",
    ]


def _postgresql() -> list[str]:
    new, old = _told('NEW.video_id'), _told('OLD.video_id')
    changed = "'done' IN (OLD.state, NEW.state) AND (OLD.state <> NEW.state OR OLD.source_etag <> NEW.source_etag)"
    return [
        *_on('export_job', 'made', 'INSERT', "NEW.state = 'done'", new),
        *_on('export_job', 'remade', 'UPDATE OF state, source_etag', changed, new),
        *_on('export_job', 'unmade', 'DELETE', "OLD.state = 'done'", old),
        *_on('video', 'replaced', 'UPDATE OF etag', "OLD.etag <> NEW.etag", _told('NEW.id')),
    ]


def _on(table: str, name: str, event: str, only_if: str, work: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {work}; RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_{name} AFTER {event} ON {table} FOR EACH ROW WHEN ({only_if}) EXECUTE FUNCTION {table}_{name}()",
    ]


def downgrade() -> None:
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    for table, name in (('export_job', 'made'), ('export_job', 'remade'), ('export_job', 'unmade'), ('video', 'replaced')):
        run(f"DROP FUNCTION {table}_{name} CASCADE" if postgresql else f"DROP TRIGGER {table}_{name}")
    for index, table in (('ix_video_listed', 'video'), ('ix_video_missing', 'video'), ('ix_video_tally_stale', 'video_tally')):
        op.drop_index(index, table)
    op.drop_column('video_tally', 'stale')
