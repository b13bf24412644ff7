"""export jobs"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    moment = sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table('export_job',
    sa.Column('id', text(), nullable=False),
    sa.Column('identity', text(length=64), nullable=False),
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('identified_clip_id', sa.String(), nullable=True),
    sa.Column('exported_clip_id', sa.String(), nullable=True),
    sa.Column('start_ms', sa.Integer(), nullable=False),
    sa.Column('end_ms', sa.Integer(), nullable=False),
    sa.Column('title', text(length=300), nullable=False),
    sa.Column('source_etag', text(length=100), nullable=False),
    sa.Column('aspect_ratio', text(length=10), nullable=False),
    sa.Column('target_language', text(length=20), nullable=False),
    sa.Column('framing', sa.JSON(), nullable=False),
    sa.Column('captions', text(length=100), nullable=False),
    sa.Column('recipe', sa.Integer(), nullable=False),
    sa.Column('state', text(length=20), nullable=False),
    sa.Column('progress', sa.Float(), nullable=False),
    sa.Column('reason', text(length=500), nullable=False),
    sa.Column('log', sa.Text(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('requested_by', text(length=64), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.Column('updated_at', moment(), nullable=False),
    sa.Column('alive_at', moment(), nullable=True),
    sa.CheckConstraint('start_ms >= 0 AND end_ms > start_ms', name='ck_export_job_range'),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['identified_clip_id'], ['identified_clip.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['exported_clip_id'], ['exported_clip.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('identity')
    )
    with op.batch_alter_table('export_job', schema=None) as batch_op:
        batch_op.create_index('ix_export_job_changes', ['video_id', 'revision'], unique=False)
        batch_op.create_index('ix_export_job_queue', ['state', 'created_at', 'number'], unique=False)
        batch_op.create_index(batch_op.f('ix_export_job_identified_clip_id'), ['identified_clip_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_export_job_exported_clip_id'), ['exported_clip_id'], unique=False)

    op.create_table('export_upload',
    sa.Column('s3_key', text(length=1024), nullable=False),
    sa.Column('job_id', text(length=64), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('s3_key')
    )
    with op.batch_alter_table('export_upload', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_export_upload_job_id'), ['job_id'], unique=False)

    op.create_table('export_board',
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('video_id')
    )


def downgrade() -> None:
    op.drop_table('export_board')
    op.drop_table('export_upload')
    op.drop_table('export_job')
