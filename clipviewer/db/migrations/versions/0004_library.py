"""library"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    moment = sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table('work',
    sa.Column('id', text(), nullable=False),
    sa.Column('kind', text(length=20), nullable=False),
    sa.Column('subject', text(length=1100), nullable=False),
    sa.Column('video_id', sa.String(), nullable=True),
    sa.Column('slot', text(length=1200), nullable=True),
    sa.Column('given', sa.JSON(), nullable=False),
    sa.Column('state', text(length=20), nullable=False),
    sa.Column('progress', sa.Float(), nullable=False),
    sa.Column('note', text(length=500), nullable=False),
    sa.Column('log', sa.Text(), nullable=False),
    sa.Column('result', sa.JSON(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('requested_by', text(length=64), nullable=False),
    sa.Column('created_at', moment(), nullable=False),
    sa.Column('updated_at', moment(), nullable=False),
    sa.Column('alive_at', moment(), nullable=True),
    sa.ForeignKeyConstraint(['video_id'], ['video.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('slot')
    )
    with op.batch_alter_table('work', schema=None) as batch_op:
        batch_op.create_index('ix_work_queue', ['state', 'created_at'], unique=False)
        batch_op.create_index('ix_work_of_video', ['video_id', 'created_at'], unique=False)

    with op.batch_alter_table('video', schema=None) as batch_op:
        batch_op.add_column(sa.Column('media', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('previews', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('archived_at', moment(), nullable=True))
        batch_op.add_column(sa.Column('deleted_at', moment(), nullable=True))
        batch_op.add_column(sa.Column('missing_at', moment(), nullable=True))
    with op.batch_alter_table('exported_clip', schema=None) as batch_op:
        batch_op.add_column(sa.Column('missing_at', moment(), nullable=True))
    with op.batch_alter_table('identified_clip', schema=None) as batch_op:
        batch_op.add_column(sa.Column('origin', text(length=20), nullable=False, server_default='pipeline'))
        batch_op.add_column(sa.Column('reasons', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('touched_at', moment(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('identified_clip', schema=None) as batch_op:
        batch_op.drop_column('touched_at')
        batch_op.drop_column('reasons')
        batch_op.drop_column('origin')
    with op.batch_alter_table('exported_clip', schema=None) as batch_op:
        batch_op.drop_column('missing_at')
    with op.batch_alter_table('video', schema=None) as batch_op:
        for name in ('missing_at', 'deleted_at', 'archived_at', 'previews', 'media'):
            batch_op.drop_column(name)
    op.drop_table('work')
