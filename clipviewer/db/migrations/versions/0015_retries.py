"""retries: when a job is tried again and why it was not done, what keeps a worker from working, and whose sidecar is out of date"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

# ALTER TABLE alone: Alembic's batches copy a table on SQLite, and lose its triggers.

JOBS = ('work', 'export_job')
CLIP = "(SELECT c.video_id FROM identified_clip c WHERE c.id = {row}.identified_clip_id)"
# Changes by people that are stored in sidecars. Columns: table, event, row, condition, video id.
TYPED = (
    ('video', 'UPDATE OF title, s3_key, archived_at, deleted_at', 'NEW', '', '{row}.id'),
    ('video', 'DELETE', 'OLD', '', '{row}.id'),
    *(('video_tag', event, row, '', '{row}.video_id') for event, row in (('INSERT', 'NEW'), ('DELETE', 'OLD'))),
    *(('video_captions', event, row, '', '{row}.video_id') for event, row in (('INSERT', 'NEW'), ('DELETE', 'OLD'))),
    *(('clip_framing', event, row, '', CLIP) for event, row in (('INSERT', 'NEW'), ('UPDATE', 'NEW'), ('DELETE', 'OLD'))),
    *(
        ('identified_clip', event, row, 'WHEN ({row}.touched_at IS NOT NULL)', '{row}.video_id')
        for event, row in (('INSERT', 'NEW'), ('UPDATE', 'NEW'), ('DELETE', 'OLD'))
    ),
)


def upgrade() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    for table in JOBS:
        op.add_column(table, sa.Column('due_at', moment(), nullable=True))
        op.add_column(table, sa.Column('failing_since', moment(), nullable=True))
        op.add_column(table, sa.Column('retries', sa.Integer(), nullable=False, server_default='0'))
        op.add_column(table, sa.Column('cause', text(length=20), nullable=False, server_default=''))
    op.add_column('worker', sa.Column('problem', text(length=500), nullable=False, server_default=''))
    op.create_table('sidecar_due',
    sa.Column('video_id', text(length=64), nullable=False),
    sa.Column('changes', sa.Integer(), nullable=False, server_default='1'),
    sa.PrimaryKeyConstraint('video_id')
    )
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    run("INSERT INTO sidecar_due(video_id, changes) SELECT id, 1 FROM video")
    for table, event, row, condition, video in TYPED:
        name, when, who = _name(table, event), condition.format(row=row), video.format(row=row)
        if postgresql:
            mark = (
                f"INSERT INTO sidecar_due(video_id, changes) SELECT v.id, 1 FROM (SELECT {who} AS id) v WHERE v.id IS NOT NULL "
                "ON CONFLICT (video_id) DO UPDATE SET changes = sidecar_due.changes + 1;"
            )
            run(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {mark} RETURN NULL; END $$")
            run(f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()")
        else:
            # Two statements: the conflict clause of the statement that fires a trigger replaces those inside it.
            mark = (
                f"UPDATE sidecar_due SET changes = changes + 1 WHERE video_id = {who}; "
                f"INSERT INTO sidecar_due(video_id, changes) SELECT v.id, 1 FROM (SELECT {who} AS id) v "
                "WHERE v.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sidecar_due d WHERE d.video_id = v.id);"
            )
            run(f"CREATE TRIGGER {name} AFTER {event} ON {table} {when} BEGIN {mark} END")


def _name(table: str, event: str) -> str:
    return f"{table}_typed_{event.split()[0].lower()}"


def downgrade() -> None:
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    for table, event, *_ in TYPED:
        name = _name(table, event)
        run(f"DROP FUNCTION {name} CASCADE" if postgresql else f"DROP TRIGGER {name}")
    op.drop_table('sidecar_due')
    op.drop_column('worker', 'problem')
    for table in JOBS:
        for column in ('cause', 'retries', 'failing_since', 'due_at'):
            op.drop_column(table, column)
