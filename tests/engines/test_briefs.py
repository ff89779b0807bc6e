"""What a brief reads is the same from Postgres and from DuckDB, and compiles for engines that are not here."""

from dataclasses import fields
from pathlib import Path

import pytest
import sqlglot

psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")

from engines.company import PLAYBOOK  # noqa: E402
from engines.test_compiled import Listening  # noqa: E402
from engines.test_postgres import project_of, put, schema  # noqa: E402, F401 - the fixture
from handraise.service import project as projects  # noqa: E402
from handraise.service.account_data import AccountData, read_account  # noqa: E402
from handraise.warehouse.dialects.others import COMPILED_ONLY  # noqa: E402
from service.selling_company import LATE, tables  # noqa: E402
from support import NOW, T, load_folder, memory_project, write  # noqa: E402

ACCOUNTS = ("acme", "byte", "cozy", "dull", "domain:zeta-made-up.com")


def read(project: projects.Project, *accounts: str) -> list[AccountData]:
    return [
        read_account(
            project,
            account,
            as_of=T,
            now=LATE,
            domain=f"{account.rpartition(':')[2].partition('-')[0]}-made-up.com",
            named=["hal"],
        )
        for account in accounts or ACCOUNTS
    ]


def test_the_same_brief_from_postgres_and_from_files(postgres: str, schema: str, tmp_path: Path) -> None:  # noqa: F811
    company = tables()
    put(postgres, schema, company)
    folder = project_of(tmp_path / "p", schema, company)
    with projects.open_project(folder, environment={"OUR_DB": postgres}) as project:
        projects.read_sources(project)
        projects.refresh(project, [T], now=NOW)
        found = read(project)
    with memory_project(PLAYBOOK) as project:
        load_folder(project, write(tmp_path / "files", company))
        projects.refresh(project, [T], now=NOW)
        wanted = read(project)
    for ours, theirs in zip(wanted, found, strict=True):
        for field in fields(AccountData):
            assert getattr(theirs, field.name) == getattr(ours, field.name), field.name
    acme = wanted[0]
    assert len(acme.people) == 8, "seven with a part, and who was named"
    assert acme.plans
    assert acme.measurements
    assert acme.touches
    assert acme.leads == ("fair",)
    assert wanted[-1].usage.last_active is None


def test_every_statement_of_a_brief_compiles_and_parses_again(tmp_path: Path) -> None:
    with memory_project() as project:
        load_folder(project, write(tmp_path / "files", tables()))
        projects.refresh(project, [T], now=NOW)
        listening = Listening(engine=project.warehouse.engine)
        listening.heard = []
        listening._built.find = lambda _: ()  # type: ignore[method-assign]
        listening._built.keep = lambda *_, **__: None  # type: ignore[method-assign]
        project.warehouse = listening
        read(project, "acme")
        heard = [expression.unbind() for expression in listening.heard]
    assert len(heard) > 20
    for name, made in COMPILED_ONLY.items():
        compiler = made()
        for expression in heard:
            sql = compiler.to_sqlglot(expression).sql(dialect=compiler.dialect)
            assert not sqlglot.parse_one(sql, read=compiler.dialect).find(sqlglot.exp.Command), name
