"""sent values: what machines had written before a person changed it, and what people removed, also in the videos' own sidecars"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

# ALTER TABLE alone: Alembic's batches copy a table on SQLite, and lose its triggers.
# Of earlier changes it is not known what was sent before them, so all that a person may have changed counts as changed: {}.

REMOVALS = (('INSERT', 'NEW'), ('UPDATE', 'NEW'), ('DELETE', 'OLD'))


def upgrade() -> None:
    text, moment, run = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime, op.get_bind().exec_driver_sql
    for table in ('video', 'identified_clip'):
        op.add_column(table, sa.Column('sent', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('video_captions', sa.Column('by_person', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table('removed_item',
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('kind', text(length=20), nullable=False),
    sa.Column('name', text(length=200), nullable=False),
    sa.Column('item_id', text(length=64), nullable=False),
    sa.Column('start_ms', sa.Integer(), nullable=True),
    sa.Column('end_ms', sa.Integer(), nullable=True),
    sa.Column('removed_at', moment(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('video_id', 'kind', 'name')
    )
    run("UPDATE identified_clip SET sent = '{}' WHERE touched_at IS NOT NULL")
    run("UPDATE video SET sent = '{}' WHERE id IN (SELECT subject FROM audit_entry WHERE action = 'video_renamed')")
    run("UPDATE video_captions SET by_person = true WHERE origin = 'uploaded' AND substr(added_by, 1, 5) = 'user_' "
        "AND NOT EXISTS (SELECT 1 FROM adopted_captions a WHERE a.video_id = video_captions.video_id AND a.digest = video_captions.digest)")
    _mark_sidecars()


def _mark_sidecars() -> None:
    """Mark a video's sidecar as out of date when something is removed, as in 0015; and all of them now, as they have more to tell."""
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    run("INSERT INTO sidecar_due(video_id, changes) SELECT id, 1 FROM video WHERE id NOT IN (SELECT video_id FROM sidecar_due)")
    for event, row in REMOVALS:
        name = _name(event)
        if postgresql:
            mark = (
                f"INSERT INTO sidecar_due(video_id, changes) VALUES ({row}.video_id, 1) "
                "ON CONFLICT (video_id) DO UPDATE SET changes = sidecar_due.changes + 1;"
            )
            run(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {mark} RETURN NULL; END $$")
            run(f"CREATE TRIGGER {name} AFTER {event} ON removed_item FOR EACH ROW EXECUTE FUNCTION {name}()")
        else:
            # Two statements: the conflict clause of the statement that fires a trigger replaces those inside it.
            mark = (
                f"UPDATE sidecar_due SET changes = changes + 1 WHERE video_id = {row}.video_id; "
                f"INSERT INTO sidecar_due(video_id, changes) SELECT {row}.video_id, 1 "
                f"WHERE NOT EXISTS (SELECT 1 FROM sidecar_due d WHERE d.video_id = {row}.video_id);"
            )
            run(f"CREATE TRIGGER {name} AFTER {event} ON removed_item BEGIN {mark} END")


def _name(event: str) -> str:
    return f"removed_item_typed_{event.lower()}"


def downgrade() -> None:
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    for event, _ in REMOVALS:
        run(f"DROP FUNCTION {_name(event)} CASCADE" if postgresql else f"DROP TRIGGER {_name(event)}")
    op.drop_table('removed_item')
    op.drop_column('video_captions', 'by_person')
    for table in ('identified_clip', 'video'):
        op.drop_column(table, 'sent')
