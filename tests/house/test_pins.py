"""Pins that wait for somebody else: each test says when its pin can go."""

from importlib.metadata import version


def test_sqlglot_stays_below_30_12_while_ibis_is_12() -> None:
    # With newer sqlglot, Ibis 12 drops tables without a name. A newer Ibis: lift the pin, run the tests, drop this.
    assert version("ibis-framework").startswith("12.")
    assert tuple(map(int, version("sqlglot").split(".")[:2])) < (30, 12)


def test_duckdb_stays_below_2_while_ibis_is_12() -> None:
    # Ibis 12 was made for DuckDB 1. A newer Ibis: lift the pin, run the tests, drop this.
    assert version("ibis-framework").startswith("12.")
    assert version("duckdb").startswith("1.")
