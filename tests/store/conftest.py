"""The same tests run on every database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from detector.store import Store, open_store
from detector.store.schema import metadata
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


KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """Make a database on a PostgreSQL and drop it again; yields its URL."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    name = f"street_test_{os.getpid()}_{next(_numbers)}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield url.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database of each kind without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'street.db'}"
    else:
        with new_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[str]:
    """URL of a database with our tables, used by one test after the other."""
    with new_database(postgres_server) as url:
        open_store(url).close()
        yield url


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens an at first empty database of each kind, and once more with each call, as another process would."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'street.db'}"
    else:
        url = request.getfixturevalue("postgres_database")
        engine = create_engine(url)
        with engine.begin() as connection:
            names = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        engine.dispose()
    stores: list[Store] = []

    def another() -> Store:
        stores.append(open_store(url))
        return stores[-1]

    yield another
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    """A store on an empty database."""
    return opened()
