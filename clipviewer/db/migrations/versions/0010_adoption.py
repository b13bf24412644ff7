"""adoption"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0010'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table('previews_due',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('video_id', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('video_id')
    )
    op.create_table('adopted_captions',
    sa.Column('s3_key', text(length=1024), nullable=False),
    sa.Column('etag', text(length=100), nullable=False),
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('language', text(length=20), nullable=False),
    sa.Column('digest', text(length=64), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('s3_key')
    )
    op.create_index('ix_adopted_captions_video_id', 'adopted_captions', ['video_id'])


def downgrade() -> None:
    op.drop_table('adopted_captions')
    op.drop_table('previews_due')
