"""captions and framing"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    moment = sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table('video_captions',
    sa.Column('id', text(), nullable=False),
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('language', text(length=20), nullable=False),
    sa.Column('name', text(length=200), nullable=False),
    sa.Column('origin', text(length=20), nullable=False),
    sa.Column('webvtt', sa.Text(), nullable=False),
    sa.Column('digest', text(length=64), nullable=False),
    sa.Column('cues', sa.Integer(), nullable=False),
    sa.Column('added_by', text(length=64), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('video_captions', schema=None) as batch_op:
        batch_op.create_index('ux_video_captions_language', ['video_id', 'language'], unique=True)

    op.create_table('clip_framing',
    sa.Column('identified_clip_id', sa.String(), nullable=False),
    sa.Column('aspect_ratio', text(length=10), nullable=False),
    sa.Column('x', sa.Float(), nullable=False),
    sa.Column('y', sa.Float(), nullable=False),
    sa.Column('chosen_by', text(length=64), nullable=False),
    sa.Column('chosen_at', moment(), nullable=False),
    sa.CheckConstraint('x >= 0 AND x <= 1 AND y >= 0 AND y <= 1', name='ck_clip_framing_within'),
    sa.ForeignKeyConstraint(['identified_clip_id'], ['identified_clip.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('identified_clip_id', 'aspect_ratio')
    )
    op.create_table('clip_look',
    sa.Column('identified_clip_id', sa.String(), nullable=False),
    sa.Column('source_etag', text(length=100), nullable=False),
    sa.Column('start_ms', sa.Integer(), nullable=False),
    sa.Column('end_ms', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('found', sa.JSON(), nullable=False),
    sa.Column('looked_at', moment(), nullable=False),
    sa.ForeignKeyConstraint(['identified_clip_id'], ['identified_clip.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('identified_clip_id')
    )
    with op.batch_alter_table('export_job', schema=None) as batch_op:
        batch_op.add_column(sa.Column('render_ms', sa.Integer(), nullable=True))
    with op.batch_alter_table('exported_clip', schema=None) as batch_op:
        batch_op.add_column(sa.Column('captions_key', text(length=1024), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('exported_clip', schema=None) as batch_op:
        batch_op.drop_column('captions_key')
    with op.batch_alter_table('export_job', schema=None) as batch_op:
        batch_op.drop_column('render_ms')
    op.drop_table('clip_look')
    op.drop_table('clip_framing')
    op.drop_table('video_captions')
