"""tags, and what becomes of a deleted video's objects"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table('video_tag',
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('tag', text(length=40), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('video_id', 'tag')
    )
    op.create_index('ix_video_tag_tag', 'video_tag', ['tag', 'video_id'])
    op.add_column('video', sa.Column('removal', text(length=10), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('video', 'removal')
    op.drop_index('ix_video_tag_tag', 'video_tag')
    op.drop_table('video_tag')
