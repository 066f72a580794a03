"""The same tests run on every database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from detector.store import Store, open_store
from tests.store import postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL where databases may be made."""
    pytest.importorskip("psycopg", reason=postgres.NO_POSTGRES)
    given, binaries = os.environ.get(postgres.ENV), postgres.binaries()
    if given:
        yield given
    elif binaries:
        with postgres.cluster(binaries) as url:
            yield url
    else:
        pytest.skip(postgres.NO_POSTGRES)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'street.db'}"
        return
    server = make_url(request.getfixturevalue("postgres_server")).set(drivername="postgresql+psycopg")
    name = f"street_test_{os.getpid()}_{next(_numbers)}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield server.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


@pytest.fixture
def opened(database_url: str) -> Iterator[Callable[[], Store]]:
    """Opens the database once more, as another process would."""
    stores: list[Store] = []

    def another() -> Store:
        stores.append(open_store(database_url))
        return stores[-1]

    yield another
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """A store on an empty database."""
    return opened()
