"""library search: what the library is searched and sorted by, kept by triggers"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0007'
down_revision = '0005'
branch_labels = None
depends_on = None

CLIPS = (('identified_clip', 'identified'), ('exported_clip', 'exported'))
PIECE = 20_000


def upgrade() -> None:
    op.create_table('video_tally',
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('identified', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('exported', sa.Integer(), nullable=False, server_default='0'),
    sa.Column('active_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('video_id')
    )
    op.create_index('ix_video_tally_active', 'video_tally', ['active_at', 'video_id'])
    op.create_index('ix_video_tally_exported', 'video_tally', ['exported', 'video_id'])
    op.create_table('search_entry',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('owner', sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('number')
    )
    op.create_index('ix_search_entry_owner', 'search_entry', ['owner'])
    op.create_index('ix_search_entry_video_id', 'search_entry', ['video_id'])
    op.create_index('ix_video_title', 'video', [sa.text('lower(title)'), 'id'])
    op.create_index('ix_video_duration', 'video', ['duration_ms', 'id'])
    op.create_index('ix_export_job_source', 'export_job', ['video_id', 'state', 'source_etag'])
    gone = sa.text('missing_at IS NOT NULL')
    op.create_index('ix_exported_clip_missing', 'exported_clip', ['video_id'], sqlite_where=gone, postgresql_where=gone)
    statements = _postgresql() if op.get_bind().dialect.name == 'postgresql' else _sqlite()
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)
    _fill()


def _sqlite() -> list[str]:
    """The words in an FTS5 table that reads its texts from ``search_entry``, and one trigger for each thing that happens."""
    made = [
        "CREATE VIRTUAL TABLE search_index USING fts5(body, content='search_entry', content_rowid='number', "
        "tokenize='unicode61 remove_diacritics 2')",
        "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN "
        "INSERT INTO search_index(rowid, body) VALUES (NEW.number, NEW.body); END",
        "CREATE TRIGGER search_entry_removed AFTER DELETE ON search_entry BEGIN "
        "INSERT INTO search_index(search_index, rowid, body) VALUES ('delete', OLD.number, OLD.body); END",
        "CREATE TRIGGER search_entry_changed AFTER UPDATE OF body ON search_entry BEGIN "
        "INSERT INTO search_index(search_index, rowid, body) VALUES ('delete', OLD.number, OLD.body); "
        "INSERT INTO search_index(rowid, body) VALUES (NEW.number, NEW.body); END",
        "CREATE TRIGGER video_listed AFTER INSERT ON video BEGIN "
        "INSERT INTO video_tally(video_id, identified, exported, active_at) VALUES (NEW.id, 0, 0, NEW.created_at); "
        "INSERT INTO search_entry(owner, video_id, body) VALUES (NEW.id, NEW.id, NEW.title); END",
        "CREATE TRIGGER video_captions_unlisted AFTER DELETE ON video_captions BEGIN "
        "DELETE FROM search_entry WHERE owner = OLD.id; END",
    ]
    for table in ('video', 'identified_clip', 'exported_clip'):
        made.append(
            f"CREATE TRIGGER {table}_renamed AFTER UPDATE OF title ON {table} WHEN OLD.title <> NEW.title BEGIN "
            "UPDATE search_entry SET body = NEW.title WHERE owner = NEW.id; END"
        )
    for table, count in CLIPS:
        made += [
            f"CREATE TRIGGER {table}_listed AFTER INSERT ON {table} BEGIN "
            f"UPDATE video_tally SET {count} = {count} + 1, active_at = max(active_at, NEW.created_at) WHERE video_id = NEW.video_id; "
            "INSERT INTO search_entry(owner, video_id, body) VALUES (NEW.id, NEW.video_id, NEW.title); END",
            f"CREATE TRIGGER {table}_unlisted AFTER DELETE ON {table} BEGIN "
            f"UPDATE video_tally SET {count} = {count} - 1 WHERE video_id = OLD.video_id; "
            "DELETE FROM search_entry WHERE owner = OLD.id; END",
        ]
    for table in ('export_job', 'video_captions'):
        made.append(
            f"CREATE TRIGGER {table}_noticed AFTER INSERT ON {table} BEGIN "
            "UPDATE video_tally SET active_at = NEW.created_at WHERE video_id = NEW.video_id AND active_at < NEW.created_at; END"
        )
    return made


def _postgresql() -> list[str]:
    """The words in a generated column, and the same triggers. Marks are taken off letters, and what is neither letter nor digit is a gap:
    the parser would see addresses, numbers and paths in it."""
    signs = '!"#$%%&\'\'()*+,-./:;<=>?@[\\]^_`{|}~'
    folded = f"translate(lower(regexp_replace(normalize(body, NFD), '[\u0300-\u036f]', '', 'g')), '{signs}', repeat(' ', 32))"
    made = [
        f"ALTER TABLE search_entry ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple', {folded})) STORED",
        "CREATE INDEX ix_search_entry_words ON search_entry USING gin (words)",
        *_on('video', 'listed', 'INSERT',
            "INSERT INTO video_tally(video_id, identified, exported, active_at) VALUES (NEW.id, 0, 0, NEW.created_at); "
            "INSERT INTO search_entry(owner, video_id, body) VALUES (NEW.id, NEW.id, NEW.title);"),
        *_on('video_captions', 'unlisted', 'DELETE', "DELETE FROM search_entry WHERE owner = OLD.id;"),
    ]
    for table in ('video', 'identified_clip', 'exported_clip'):
        made += _on(table, 'renamed', 'UPDATE OF title', "UPDATE search_entry SET body = NEW.title WHERE owner = NEW.id AND body <> NEW.title;")
    for table, count in CLIPS:
        made += _on(table, 'listed', 'INSERT',
            f"UPDATE video_tally SET {count} = {count} + 1, active_at = greatest(active_at, NEW.created_at) WHERE video_id = NEW.video_id; "
            "INSERT INTO search_entry(owner, video_id, body) VALUES (NEW.id, NEW.video_id, NEW.title);")
        made += _on(table, 'unlisted', 'DELETE',
            f"UPDATE video_tally SET {count} = {count} - 1 WHERE video_id = OLD.video_id; DELETE FROM search_entry WHERE owner = OLD.id;")
    for table in ('export_job', 'video_captions'):
        made += _on(table, 'noticed', 'INSERT',
            "UPDATE video_tally SET active_at = NEW.created_at WHERE video_id = NEW.video_id AND active_at < NEW.created_at;")
    return made


def _on(table: str, name: str, event: str, work: str) -> list[str]:
    return [
        f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {work} RETURN NULL; END $$",
        f"CREATE TRIGGER {table}_{name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_{name}()",
    ]


def _fill() -> None:
    """What is there already."""
    run = op.get_bind().exec_driver_sql
    run("INSERT INTO video_tally(video_id, identified, exported, active_at) SELECT id, "
        "(SELECT count(*) FROM identified_clip c WHERE c.video_id = video.id), "
        "(SELECT count(*) FROM exported_clip c WHERE c.video_id = video.id), created_at FROM video")
    for table in ('identified_clip', 'exported_clip', 'export_job', 'video_captions'):
        newest = f"(SELECT max(c.created_at) FROM {table} c WHERE c.video_id = video_tally.video_id)"
        run(f"UPDATE video_tally SET active_at = {newest} WHERE active_at < {newest}")
    run("INSERT INTO search_entry(owner, video_id, body) SELECT id, id, title FROM video")
    for table, _ in CLIPS:
        run(f"INSERT INTO search_entry(owner, video_id, body) SELECT id, video_id, title FROM {table}")
    entries = sa.table('search_entry', sa.column('owner'), sa.column('video_id'), sa.column('body'))
    for owner, video_id, webvtt in run("SELECT id, video_id, webvtt FROM video_captions").all():
        said = ' '.join(line for line in webvtt.splitlines()[1:] if line and '-->' not in line)
        pieces = [{'owner': owner, 'video_id': video_id, 'body': said[at:at + PIECE]} for at in range(0, len(said), PIECE)]
        if pieces:
            op.get_bind().execute(entries.insert(), pieces)


def downgrade() -> None:
    run, postgresql = op.get_bind().exec_driver_sql, op.get_bind().dialect.name == 'postgresql'
    made = [('video', 'listed'), ('video', 'renamed'), ('video_captions', 'unlisted'), ('video_captions', 'noticed'), ('export_job', 'noticed')]
    made += [(table, name) for table, _ in CLIPS for name in ('listed', 'unlisted', 'renamed')]
    for table, name in made:
        run(f"DROP FUNCTION {table}_{name} CASCADE" if postgresql else f"DROP TRIGGER {table}_{name}")
    for index, table in (('ix_exported_clip_missing', 'exported_clip'), ('ix_export_job_source', 'export_job'),
                         ('ix_video_duration', 'video'), ('ix_video_title', 'video')):
        op.drop_index(index, table)
    op.drop_table('search_entry')
    if not postgresql:
        run("DROP TABLE search_index")
    op.drop_table('video_tally')
