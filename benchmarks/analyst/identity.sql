-- Who and whose, as docs/data.md says it: people of anonymous ids, accounts of workspaces, and who is scored where.
-- `email_hosts` (host → registrable domain, and whether it is a work domain) is a list the analyst has beside the data.

CREATE OR REPLACE TEMP TABLE analyst_links AS
SELECT anonymous_id, arg_min(person_id, (timestamp, person_id)) AS person_id
FROM events
WHERE person_id IS NOT NULL AND anonymous_id IS NOT NULL AND timestamp < getvariable('as_of')
GROUP BY anonymous_id;

-- Everybody who did anything, and where; grouped before the links are joined, because there are far fewer people than events.
CREATE OR REPLACE TEMP TABLE analyst_seen AS
WITH visits AS (
    SELECT
        coalesce(person_id, anonymous_id) AS actor,
        person_id IS NOT NULL AS identified,
        coalesce(workspace_id, '') AS workspace_id,
        min(timestamp) AS first_at,
        min(timestamp) FILTER (name NOT IN ('email_delivered', 'email_opened', 'invite_received')) AS first_active_at
    FROM events
    WHERE timestamp < getvariable('as_of')
    GROUP BY ALL
)
SELECT
    v.*,
    CASE WHEN v.identified THEN v.actor ELSE coalesce(l.person_id, v.actor) END AS person_id,
    v.identified OR l.person_id IS NOT NULL AS known
FROM visits v
LEFT JOIN analyst_links l ON v.actor = l.anonymous_id;

CREATE OR REPLACE TEMP TABLE analyst_person_domains AS
SELECT p.person_id, h.domain
FROM people p
JOIN email_hosts h ON h.host = regexp_extract(lower(trim(p.email)), '@([^@\s]+)$', 1)
WHERE h.kind = 'work';

CREATE OR REPLACE TEMP TABLE analyst_domain_accounts AS
WITH named AS (
    SELECT account_id, domain AS text FROM accounts
    UNION ALL
    SELECT account_id, unnest(string_split(domains, ';')) AS text FROM accounts
),
hosts AS (
    SELECT account_id, regexp_extract(lower(trim(text)), '^(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:]+)', 1) AS host
    FROM named
)
SELECT h.domain, min(hosts.account_id) AS account_id
FROM hosts
JOIN email_hosts h ON h.host = hosts.host AND h.kind = 'work'
GROUP BY h.domain;

CREATE OR REPLACE TEMP TABLE analyst_workspace_accounts AS
WITH members AS (
    SELECT workspace_id, person_id, min(moment) AS moment
    FROM (
        SELECT workspace_id, person_id, first_at AS moment FROM analyst_seen
        UNION ALL
        SELECT workspace_id, person_id, created_at FROM people WHERE created_at < getvariable('as_of')
    )
    WHERE workspace_id <> ''
    GROUP BY ALL
),
domains AS (
    SELECT m.workspace_id, d.domain, count(*) AS people, min(m.moment) AS moment
    FROM members m
    JOIN analyst_person_domains d USING (person_id)
    GROUP BY ALL
),
majority AS (
    SELECT workspace_id, domain
    FROM domains
    QUALIFY row_number() OVER (PARTITION BY workspace_id ORDER BY people DESC, moment, domain) = 1
        AND 2 * people >= sum(people) OVER (PARTITION BY workspace_id)
),
every AS (
    SELECT workspace_id FROM members
    UNION
    SELECT workspace_id FROM workspaces
)
SELECT
    e.workspace_id,
    coalesce(w.account_id, o.account_id, 'domain:' || m.domain, 'workspace:' || e.workspace_id) AS account_id
FROM every e
LEFT JOIN workspaces w USING (workspace_id)
LEFT JOIN majority m USING (workspace_id)
LEFT JOIN analyst_domain_accounts o ON o.domain = m.domain;

CREATE OR REPLACE TEMP TABLE analyst_homes AS
SELECT d.person_id, coalesce(o.account_id, 'domain:' || d.domain) AS account_id
FROM analyst_person_domains d
LEFT JOIN analyst_domain_accounts o USING (domain);

-- Whose an event is: by who did it, whether signed in, and in which workspace.
CREATE OR REPLACE TEMP TABLE analyst_places AS
SELECT
    s.actor,
    s.identified,
    s.workspace_id,
    s.person_id,
    s.known,
    s.first_at,
    s.first_active_at,
    CASE WHEN s.workspace_id = '' THEN coalesce(h.account_id, 'person:' || s.person_id) ELSE w.account_id END AS account_id
FROM analyst_seen s
LEFT JOIN analyst_workspace_accounts w USING (workspace_id)
LEFT JOIN analyst_homes h ON h.person_id = s.person_id;

-- Everybody who is scored, silent people too.
CREATE OR REPLACE TEMP TABLE analyst_pairs AS
WITH placed AS (
    SELECT p.person_id, coalesce(w.account_id, h.account_id, 'person:' || p.person_id) AS account_id
    FROM people p
    LEFT JOIN analyst_workspace_accounts w USING (workspace_id)
    LEFT JOIN analyst_homes h ON h.person_id = p.person_id
    WHERE p.created_at < getvariable('as_of')
        AND (p.workspace_id IS NOT NULL OR p.person_id NOT IN (SELECT person_id FROM analyst_seen))
),
both_ways AS (
    SELECT person_id, account_id, known, first_at, first_active_at FROM analyst_places
    UNION ALL
    SELECT person_id, account_id, true, NULL, NULL FROM placed
)
SELECT
    person_id,
    account_id,
    bool_or(known) AS known,
    min(first_at) AS first_at,
    min(first_active_at) AS first_active_at
FROM both_ways
GROUP BY person_id, account_id;

CREATE OR REPLACE TEMP VIEW analyst_events AS
SELECT p.person_id, p.account_id, p.known, e.workspace_id, e.name, e.timestamp, e.properties
FROM events e
JOIN analyst_places p
    ON p.actor = coalesce(e.person_id, e.anonymous_id)
    AND p.identified = (e.person_id IS NOT NULL)
    AND p.workspace_id = coalesce(e.workspace_id, '')
WHERE e.timestamp < getvariable('as_of');
