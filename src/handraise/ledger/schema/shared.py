"""What all tables of the ledger share."""

from __future__ import annotations

from sqlalchemy import MetaData

# Every schema that this version can read or upgrade, oldest first; the last is the present one.
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")

metadata = MetaData()
