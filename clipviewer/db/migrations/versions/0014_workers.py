"""workers: one heartbeat for each process instead of one for each job"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

# ALTER TABLE alone: Alembic's batches copy a table on SQLite, and lose its triggers.


def upgrade() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table('worker',
    sa.Column('id', text(length=64), nullable=False),
    sa.Column('alive_at', moment(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    for table in ('work', 'export_job'):
        op.add_column(table, sa.Column('worker', text(length=64), nullable=False, server_default=''))
        op.drop_column(table, 'alive_at')
    op.add_column('work', sa.Column('priority', sa.Integer(), nullable=False, server_default='2'))


def downgrade() -> None:
    op.drop_column('work', 'priority')
    for table in ('export_job', 'work'):
        op.add_column(table, sa.Column('alive_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
        op.drop_column(table, 'worker')
    op.drop_table('worker')
