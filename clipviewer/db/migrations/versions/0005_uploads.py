"""uploads"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    moment = sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table('video_upload',
    sa.Column('id', text(), nullable=False),
    sa.Column('video_id', text(length=64), nullable=False),
    sa.Column('s3_key', text(length=1024), nullable=False),
    sa.Column('store_id', text(length=1024), nullable=False),
    sa.Column('file_name', text(length=255), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('part_size', sa.BigInteger(), nullable=False),
    sa.Column('content_type', text(length=100), nullable=False),
    sa.Column('fingerprint', text(length=100), nullable=False),
    sa.Column('checked', sa.Boolean(), nullable=False),
    sa.Column('sender', text(length=64), nullable=False),
    sa.Column('state', text(length=20), nullable=False),
    sa.Column('note', text(length=500), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.Column('updated_at', moment(), nullable=False),
    sa.Column('cleared_at', moment(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('video_id'),
    sa.UniqueConstraint('s3_key')
    )
    with op.batch_alter_table('video_upload', schema=None) as batch_op:
        batch_op.create_index('ix_video_upload_sender', ['sender', 'state'], unique=False)
        batch_op.create_index('ix_video_upload_state', ['state', 'updated_at'], unique=False)


def downgrade() -> None:
    op.drop_table('video_upload')
