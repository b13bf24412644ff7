"""Alembic's entry point: runs on the connection that ``Database.migrate`` passes."""

from alembic import context
from sqlmodel import SQLModel

from clipviewer.db import (  # noqa: F401  (fills the metadata)
    adoption_models,
    clip_models,
    export_models,
    library_models,
    master_models,
    models,
    team_models,
    upload_models,
    work_models,
)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
context.run_migrations()
