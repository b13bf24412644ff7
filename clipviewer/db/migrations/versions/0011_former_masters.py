"""former masters"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0011'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    op.create_table('former_master',
    sa.Column('s3_key', text(length=1024), nullable=False),
    sa.Column('video_id', sa.String(), nullable=False),
    sa.Column('etag', text(length=100), nullable=False),
    sa.Column('replaced_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('s3_key')
    )
    with op.batch_alter_table('former_master', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_former_master_video_id'), ['video_id'], unique=False)


def downgrade() -> None:
    op.drop_table('former_master')
