"""people.csv, workspaces.csv and accounts.csv."""

from pathlib import Path

import numpy as np

from handraise.simulate.chance import DAY, Stage, happens, milliseconds, stream
from handraise.simulate.files import iso, person_ids, text_or_null, values_or_null, write_csv
from handraise.simulate.ids import labels
from handraise.simulate.people import NOBODY
from handraise.simulate.vocabulary import COUNTRIES, DEPARTMENTS, INDUSTRIES, SENIORITIES
from handraise.simulate.world import World


def write_people(path: Path, world: World) -> int:
    """Write one row per person; return how many."""
    profiles, members = world.profiles, world.members
    room = members.workspace[: members.people]
    rooms = np.append(world.spaces.workspace_id, "")
    seniority = np.asarray([name for name, _ in SENIORITIES])[profiles.seniority]
    department = np.asarray(DEPARTMENTS)[profiles.department]
    return write_csv(
        path,
        {
            "person_id": person_ids(members),
            "email": text_or_null(profiles.email),
            "name": profiles.name,
            "title": text_or_null(profiles.title),
            "department": text_or_null(np.where(profiles.department_known, department, "")),
            "seniority": text_or_null(np.where(profiles.seniority_known, seniority, "")),
            "created_at": iso(members.start_ms[: members.people]),
            "workspace_id": text_or_null(rooms[np.where(room == NOBODY, len(rooms) - 1, room)]),
        },
    )


def write_workspaces(path: Path, world: World) -> int:
    """Write one row per workspace; the unlinked ones have no account_id."""
    spaces, companies = world.spaces, world.companies
    sort = stream(world.seed, Stage.WORKSPACES, 1).integers(0, len(DEPARTMENTS), len(spaces))
    title = np.char.add(" ", np.asarray(DEPARTMENTS)[sort])
    stem = np.char.replace(companies.name, " (simulated)", "")[spaces.account]
    return write_csv(
        path,
        {
            "workspace_id": spaces.workspace_id,
            "account_id": text_or_null(np.where(spaces.linked, companies.account_id[spaces.account], "")),
            "name": np.char.add(np.char.add(stem, title), " (simulated)"),
            "created_at": iso(spaces.created_ms),
        },
    )


def write_accounts(path: Path, world: World) -> int:
    """Write one row per company the CRM knows, with or without usage."""
    companies = world.companies
    rng = stream(world.seed, Stage.COMPANIES, 1)
    total = len(companies)
    created = companies.start_ms - DAY // 24 - milliseconds(rng.exponential(8.0, total))
    known = happens(rng, 0.92, total)
    target = happens(rng, np.asarray((0.0, 0.0, 0.03, 0.15, 0.45))[companies.size_class], total)
    in_crm = happens(rng, 0.85, total)
    rows = np.flatnonzero(companies.has_row)
    crm_id = np.where(in_crm, np.char.replace(companies.account_id, "acc-", "CRM-"), "")
    owner = labels("rep-", companies.owner, 2)
    return write_csv(
        path,
        {
            "account_id": companies.account_id[rows],
            "name": companies.name[rows],
            "domain": companies.domain[rows],
            "domains": text_or_null(companies.extra_domain[rows]),
            "employees": values_or_null(companies.employees[rows], known[rows]),
            "industry": np.asarray(INDUSTRIES)[companies.industry[rows]],
            "icp": companies.icp[rows],
            "country": np.asarray([code for code, _, _ in COUNTRIES])[companies.country[rows]],
            "owner": text_or_null(np.where(companies.owner > 0, owner, "")[rows]),
            "crm_id": text_or_null(crm_id[rows]),
            "target": target[rows],
            "created_at": iso(created[rows]),
        },
    )
