"""Split names: a data migration as its users write it, a row at a time."""

import sys

import sqlalchemy as sa
from alembic import op

sys.path.insert(0, ".")
from split import split  # noqa: E402

revision = "0001"
down_revision = None

person = sa.table(
    "person",
    sa.column("id", sa.Integer),
    sa.column("full_name", sa.Text),
    sa.column("first_name", sa.Text),
    sa.column("last_name", sa.Text),
    sa.column("name_key", sa.Text),
)


def upgrade():
    bind = op.get_bind()
    for row in bind.execute(sa.select(person.c.id, person.c.full_name).order_by(person.c.id)).fetchall():
        first, last, key = split(row.full_name)
        bind.execute(
            person.update().where(person.c.id == row.id).values(first_name=first, last_name=last, name_key=key)
        )
