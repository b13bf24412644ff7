"""numbered videos: on SQLite the words of one video stand together, so that the index alone tells which videos it has found"""

from alembic import op

revision = '0018'
down_revision = '0013'
branch_labels = None
depends_on = None

# search_entry.number is video.number * 2^32 and then a number within the video.
INDEXED = "INSERT INTO search_index(rowid, body) SELECT max(number), NEW.body FROM search_entry WHERE video_id = NEW.video_id"
NEXT_OF_VIDEO = "(SELECT max(e.number) + 1 FROM search_entry e WHERE e.video_id = NEW.video_id AND e.number <> NEW.number)"
NEXT_VIDEO = "((SELECT coalesce(max(e.number), 0) FROM search_entry e WHERE e.number <> NEW.number) >> 32) + 1 << 32"
LISTED = (
    "INSERT INTO video_tally(video_id, identified, exported, active_at) VALUES (NEW.id, 0, 0, NEW.created_at); "
    "INSERT INTO search_entry(owner, video_id, body) VALUES (NEW.id, NEW.id, NEW.title); "
)


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    if op.get_bind().dialect.name != 'sqlite':
        return
    run("ALTER TABLE video ADD COLUMN number INTEGER")
    run("CREATE TEMP TABLE numbered AS SELECT number AS was, "
        "((SELECT coalesce(max(number), 0) >> 32 FROM search_entry) + dense_rank() OVER (ORDER BY video_id) << 32) "
        "+ row_number() OVER (PARTITION BY video_id ORDER BY number) - 1 AS number FROM search_entry")
    run("CREATE UNIQUE INDEX temp.ix_numbered ON numbered(was)")
    run("UPDATE search_entry SET number = (SELECT n.number FROM numbered n WHERE n.was = search_entry.number)")
    run("DROP TABLE numbered")
    run("UPDATE video SET number = (SELECT e.number >> 32 FROM search_entry e WHERE e.owner = video.id)")
    run("INSERT INTO search_index(search_index) VALUES ('rebuild')")
    run("DROP TRIGGER search_entry_added")
    run("CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN "
        f"UPDATE search_entry SET number = coalesce({NEXT_OF_VIDEO}, {NEXT_VIDEO}) WHERE number = NEW.number; {INDEXED}; END")
    run("DROP TRIGGER video_listed")
    run(f"CREATE TRIGGER video_listed AFTER INSERT ON video BEGIN {LISTED}"
        "UPDATE video SET number = (SELECT e.number >> 32 FROM search_entry e WHERE e.owner = NEW.id) WHERE id = NEW.id; END")


def downgrade() -> None:
    run = op.get_bind().exec_driver_sql
    if op.get_bind().dialect.name != 'sqlite':
        return
    run("DROP TRIGGER search_entry_added")
    run("CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN "
        "INSERT INTO search_index(rowid, body) VALUES (NEW.number, NEW.body); END")
    run("DROP TRIGGER video_listed")
    run(f"CREATE TRIGGER video_listed AFTER INSERT ON video BEGIN {LISTED}END")
    run("ALTER TABLE video DROP COLUMN number")
