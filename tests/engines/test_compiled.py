"""Every statement of the path compiles for engines that are not here, and parses again in their dialect."""

from collections.abc import Iterator
from typing import Any

import ibis.expr.types as ir
import pytest
import sqlglot

from engines.company import PLAYBOOK, company, edges_of
from handraise.service import project as projects
from handraise.service.export import export_rows
from handraise.warehouse.dialects.others import COMPILED_ONLY
from handraise.warehouse.engine import Warehouse
from support import NOW, T, load_folder, memory_project, write


class Listening(Warehouse):
    """A warehouse that keeps every expression it is asked to run."""

    heard: list[ir.Table]

    def sql(self, expression: ir.Table) -> str:
        self.heard.append(expression)
        return super().sql(expression)


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ir.Table]]:
    """Everything between files and exports, as expressions over tables without an engine."""
    with memory_project(PLAYBOOK) as project:
        listening = Listening(engine=project.warehouse.engine)
        listening.heard = []
        listening._built.find = lambda _: ()  # type: ignore[method-assign]
        listening._built.keep = lambda *_, **__: None  # type: ignore[method-assign]
        project.warehouse = listening
        load_folder(project, write(tmp_path_factory.mktemp("files"), company(count=60)))
        projects.refresh(project, [T], now=NOW)
        edges_of(project)
        for what in ("people", "accounts", "receipt"):
            listening.sql(export_rows(project, what))
        yield [expression.unbind() for expression in listening.heard]


def test_the_whole_path_is_heard(statements: list[Any]) -> None:
    assert len(statements) > 100


@pytest.mark.parametrize("name", list(COMPILED_ONLY))
def test_every_statement_compiles_and_parses_again(name: str, statements: list[ir.Table]) -> None:
    compiler = COMPILED_ONLY[name]()
    said = {}
    for expression in statements:
        sql = compiler.to_sqlglot(expression).sql(dialect=compiler.dialect)
        if sql not in said:
            said[sql] = sqlglot.parse_one(sql, read=compiler.dialect)
    assert len(said) > 50
    assert not [sql for sql, tree in said.items() if tree.find(sqlglot.exp.Command)]
