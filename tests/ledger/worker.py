"""A worker of its own process, for the test of several processes on one file: prints the ids of the jobs it did."""

import sys

from handraise.ledger.jobs import finish, lease
from handraise.ledger.store import Ledger
from ledger.clock import NOW


def work(ledger: Ledger, name: str) -> list[int]:
    """Do jobs until there are none, each lease and each end a transaction of its own."""
    done: list[int] = []
    while True:
        with ledger.transaction() as connection:
            job = lease(connection, name, ["refresh"], now=NOW, seconds=60)
        if job is None:
            return done
        with ledger.transaction() as connection:
            finish(connection, job, result={"by": name}, now=NOW)
        done.append(job.id)


if __name__ == "__main__":
    opened = Ledger.open(sys.argv[1])
    sys.stdout.write(" ".join(map(str, work(opened, sys.argv[2]))))
    opened.close()
