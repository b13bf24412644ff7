"""retries: when a job is tried again and why it was not done, and what keeps a worker from working"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

# ALTER TABLE alone: Alembic's batches copy a table on SQLite, and lose its triggers.

JOBS = ('work', 'export_job')


def upgrade() -> None:
    text, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    for table in JOBS:
        op.add_column(table, sa.Column('due_at', moment(), nullable=True))
        op.add_column(table, sa.Column('failing_since', moment(), nullable=True))
        op.add_column(table, sa.Column('retries', sa.Integer(), nullable=False, server_default='0'))
        op.add_column(table, sa.Column('cause', text(length=20), nullable=False, server_default=''))
    op.add_column('worker', sa.Column('problem', text(length=500), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('worker', 'problem')
    for table in JOBS:
        for column in ('cause', 'retries', 'failing_since', 'due_at'):
            op.drop_column(table, column)
