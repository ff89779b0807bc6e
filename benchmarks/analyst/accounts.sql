-- The score and tier of every account, from its people's scores and one CTE per account signal.

CREATE OR REPLACE TEMP TABLE analyst_accounts AS
WITH every AS (
    SELECT account_id FROM analyst_pairs
    UNION
    SELECT account_id FROM accounts WHERE created_at IS NULL OR created_at < getvariable('as_of')
),
people_points AS (
    SELECT account_id, sum(greatest(behaviour_points, 0)) AS points FROM analyst_people GROUP BY account_id
),
fit AS (
    SELECT
        account_id,
        CASE WHEN employees >= 500 THEN 20 WHEN employees >= 50 THEN 10 ELSE 0 END
            + CASE WHEN lower(trim(industry)) IN ('software', 'healthcare') THEN 10 ELSE 0 END
            + CASE WHEN icp THEN 15 ELSE 0 END AS points,
        coalesce(icp, false) AS icp,
        employees
    FROM accounts
),

active_people AS (
    SELECT account_id, count(*) AS value FROM analyst_people WHERE active_days > 0 GROUP BY account_id
),
departments AS (
    SELECT a.account_id, count(DISTINCT nullif(trim(p.department), '')) AS value
    FROM analyst_people a
    JOIN people p USING (person_id)
    WHERE a.active_days > 0
    GROUP BY a.account_id
),
people_growth AS (
    SELECT b.account_id, coalesce(any_value(n.value), 0) / count(DISTINCT b.person_id) - 1 AS value
    FROM analyst_events b
    LEFT JOIN active_people n ON n.account_id = b.account_id
    WHERE b.timestamp >= getvariable('as_of') - INTERVAL 60 DAY
        AND b.timestamp < getvariable('as_of') - INTERVAL 30 DAY
        AND b.name NOT IN ('email_delivered', 'email_opened', 'invite_received')
    GROUP BY b.account_id
    HAVING count(DISTINCT b.person_id) >= 3
),
executive_present AS (
    SELECT DISTINCT a.account_id
    FROM analyst_people a
    JOIN people p USING (person_id)
    WHERE a.active_days > 0
        AND (
            trim(regexp_replace(lower(p.seniority), '[-_\s]+', ' ', 'g'))
                IN ('founder', 'owner', 'c level', 'executive', 'president', 'vp', 'director', 'head')
            OR regexp_matches(
                ' ' || regexp_replace(lower(p.title), '[^a-z0-9]+', ' ', 'g') || ' ',
                ' (chief|ceo|cto|cfo|coo|cio|ciso|cmo|cpo|cro|founder|president|vp|director|vice president|head of) '
            )
        )
),
used_workspaces AS (
    SELECT m.account_id, e.workspace_id
    FROM (
        SELECT DISTINCT workspace_id
        FROM events
        WHERE timestamp >= getvariable('as_of') - INTERVAL 90 DAY AND timestamp < getvariable('as_of')
    ) e
    JOIN analyst_workspace_accounts m USING (workspace_id)
    UNION
    SELECT m.account_id, w.workspace_id
    FROM workspaces w
    JOIN analyst_workspace_accounts m USING (workspace_id)
    WHERE w.created_at >= getvariable('as_of') - INTERVAL 90 DAY AND w.created_at < getvariable('as_of')
),
workspaces_90 AS (
    SELECT account_id, count(*) AS value FROM used_workspaces GROUP BY account_id
),
velocity_jump AS (
    SELECT account_id
    FROM analyst_people
    WHERE first_at >= getvariable('as_of') - INTERVAL 35 DAY
    GROUP BY account_id
    HAVING count(*) FILTER (first_at >= getvariable('as_of') - INTERVAL 7 DAY) >= 5
        AND count(*) FILTER (first_at >= getvariable('as_of') - INTERVAL 7 DAY)
            >= 3 * greatest(count(*) FILTER (first_at < getvariable('as_of') - INTERVAL 7 DAY) / 4, 1)
),
volume AS (
    SELECT account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'export' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY account_id
),
admin_change AS (
    SELECT account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'admin_change' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY account_id
),
legal_view AS (
    SELECT account_id, count(DISTINCT person_id) AS value
    FROM analyst_events
    WHERE name = 'legal_view' AND known AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY account_id
),
latest_limits AS (
    SELECT coalesce(l.account_id, w.account_id) AS account_id, l.used, l.quota
    FROM limits l
    LEFT JOIN analyst_workspace_accounts w USING (workspace_id)
    WHERE l.measured_at < getvariable('as_of')
    QUALIFY rank() OVER (
        PARTITION BY coalesce(l.account_id, w.account_id), l.workspace_id, l.metric ORDER BY l.measured_at DESC
    ) = 1
),
near_limit AS (
    SELECT DISTINCT l.account_id
    FROM latest_limits l
    JOIN active_people a USING (account_id)
    WHERE a.value >= 10 AND l.quota > 0 AND l.used / l.quota >= 0.8
),

points AS (
    SELECT
        e.account_id,
        coalesce(people_points.points, 0) AS people_points,
        coalesce(fit.points, 0) AS firmographic_points,
        coalesce(fit.icp, false) AS icp,
        coalesce(active_people.value, 0) AS active_people,
        coalesce(departments.value, 0) AS department_count,
        coalesce(nullif(fit.employees, 0), active_people.value, 0) AS size,
        CASE
            WHEN active_people.value >= 15 THEN 40 WHEN active_people.value >= 7 THEN 25
            WHEN active_people.value >= 3 THEN 10 ELSE 0
        END AS active_people_points,
        CASE WHEN departments.value >= 3 THEN 30 WHEN departments.value >= 2 THEN 20 ELSE 0 END AS departments,
        CASE WHEN people_growth.value >= 0.5 THEN 25 WHEN people_growth.value >= 0.25 THEN 15 ELSE 0 END AS people_growth,
        CASE WHEN executive_present.account_id IS NOT NULL THEN 10 ELSE 0 END AS executive_present,
        CASE WHEN workspaces_90.value >= 2 THEN 15 ELSE 0 END AS workspaces,
        CASE WHEN velocity_jump.account_id IS NOT NULL THEN 25 ELSE 0 END AS velocity_jump,
        CASE WHEN volume.value >= 100 THEN 15 ELSE 0 END AS volume,
        CASE WHEN admin_change.value >= 1 THEN 20 ELSE 0 END AS admin_change,
        CASE WHEN legal_view.value >= 1 THEN 20 ELSE 0 END AS legal_view,
        CASE WHEN near_limit.account_id IS NOT NULL THEN 20 ELSE 0 END AS near_limit
    FROM every e
    LEFT JOIN people_points USING (account_id)
    LEFT JOIN fit USING (account_id)
    LEFT JOIN active_people USING (account_id)
    LEFT JOIN departments USING (account_id)
    LEFT JOIN people_growth USING (account_id)
    LEFT JOIN executive_present USING (account_id)
    LEFT JOIN workspaces_90 USING (account_id)
    LEFT JOIN velocity_jump USING (account_id)
    LEFT JOIN volume USING (account_id)
    LEFT JOIN admin_change USING (account_id)
    LEFT JOIN legal_view USING (account_id)
    LEFT JOIN near_limit USING (account_id)
),
summed AS (
    SELECT
        *,
        people_points + firmographic_points + active_people_points + departments + people_growth + executive_present
            + workspaces + velocity_jump + volume + admin_change + legal_view + near_limit AS score
    FROM points
)
SELECT
    *,
    CASE
        WHEN active_people >= 10 AND department_count >= 2 AND icp AND score > 150 THEN 1
        WHEN active_people >= 5 AND score >= 80 THEN 2
        WHEN active_people >= 2 AND score >= 40 THEN 3
        ELSE 4
    END AS tier,
    CASE WHEN size >= 500 THEN 'enterprise' WHEN size >= 50 THEN 'mid_market' ELSE 'smb' END AS segment
FROM summed;
