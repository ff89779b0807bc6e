-- The score of every person in every account: one CTE per signal, joined at the end.

CREATE OR REPLACE TEMP TABLE analyst_people AS
WITH active AS NOT MATERIALIZED (
    SELECT person_id, account_id, timestamp
    FROM analyst_events
    WHERE name NOT IN ('email_delivered', 'email_opened', 'invite_received')
),
sign_up AS (
    SELECT p.person_id, p.account_id, coalesce(max(r.created_at), min(e.timestamp)) AS moment
    FROM analyst_pairs p
    LEFT JOIN people r ON r.person_id = p.person_id AND r.created_at < getvariable('as_of')
    LEFT JOIN analyst_events e ON e.person_id = p.person_id AND e.account_id = p.account_id AND e.name = 'signed_up'
    GROUP BY ALL
),
paying AS (
    SELECT DISTINCT coalesce(s.account_id, w.account_id) AS account_id
    FROM subscriptions s
    LEFT JOIN analyst_workspace_accounts w USING (workspace_id)
    WHERE s.mrr > 0
        AND s.started_at < getvariable('as_of')
        AND (s.ended_at IS NULL OR s.ended_at >= getvariable('as_of'))
),

premium_features AS (
    SELECT person_id, account_id, count(DISTINCT coalesce(nullif(properties ->> '$.feature', ''), name)) AS value
    FROM analyst_events
    WHERE name = 'premium_feature' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
limit_reached AS (
    SELECT person_id, account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'limit_reached' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
api_or_integration AS (
    SELECT person_id, account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'api_or_integration' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
feature_breadth AS (
    SELECT person_id, account_id, count(DISTINCT coalesce(nullif(properties ->> '$.feature', ''), name)) AS value
    FROM analyst_events
    WHERE name IN ('feature', 'premium_feature') AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
invites AS (
    SELECT
        person_id, account_id,
        sum(coalesce(try_cast(properties ->> '$.count' AS DECIMAL(18, 6)), 1)) AS value
    FROM analyst_events
    WHERE name = 'invite_sent' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
same_domain_people AS (
    SELECT a.account_id, d.domain, count(DISTINCT a.person_id) AS value
    FROM active a
    JOIN analyst_person_domains d USING (person_id)
    WHERE a.timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
external_share AS (
    SELECT person_id, account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'external_share' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
fast_activation AS (
    SELECT person_id, account_id, min(timestamp) AS activated_at
    FROM analyst_events
    WHERE name = 'activation'
    GROUP BY ALL
    HAVING min(timestamp) >= getvariable('as_of') - INTERVAL 30 DAY
),
stickiness AS (
    SELECT person_id, account_id, count(DISTINCT timestamp::DATE) AS active_days
    FROM active
    WHERE timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
weeks AS (
    SELECT
        person_id, account_id,
        count(*) FILTER (timestamp >= getvariable('as_of') - INTERVAL 7 DAY) AS w0,
        count(*) FILTER (timestamp < getvariable('as_of') - INTERVAL 7 DAY AND timestamp >= getvariable('as_of') - INTERVAL 14 DAY) AS w1,
        count(*) FILTER (timestamp < getvariable('as_of') - INTERVAL 14 DAY AND timestamp >= getvariable('as_of') - INTERVAL 21 DAY) AS w2,
        count(*) FILTER (timestamp < getvariable('as_of') - INTERVAL 21 DAY) AS w3
    FROM active
    WHERE timestamp >= getvariable('as_of') - INTERVAL 28 DAY
    GROUP BY ALL
),
rising_usage AS (
    SELECT person_id, account_id FROM weeks WHERE w3 < w2 AND w2 < w1 AND w1 < w0
),
declining_usage AS (
    SELECT person_id, account_id FROM weeks WHERE w3 > w2 AND w2 > w1 AND w1 > w0
),
active_5_of_7 AS (
    SELECT person_id, account_id, count(DISTINCT timestamp::DATE) AS active_days
    FROM active
    WHERE timestamp >= getvariable('as_of') - INTERVAL 7 DAY
    GROUP BY ALL
),
pricing_views AS (
    SELECT person_id, account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'pricing_view' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
upgrade_starts AS (
    SELECT person_id, account_id, max(timestamp) AS moment
    FROM analyst_events
    WHERE name = 'upgrade_started' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
upgrade_completions AS (
    SELECT person_id, account_id, timestamp AS moment
    FROM analyst_events
    WHERE name = 'upgrade_completed' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
),
upgrade_abandoned AS (
    SELECT person_id, account_id FROM upgrade_starts WHERE moment <= getvariable('as_of') - INTERVAL 24 HOUR
    EXCEPT
    SELECT s.person_id, s.account_id
    FROM upgrade_starts s
    JOIN upgrade_completions c ON c.person_id = s.person_id AND c.moment >= s.moment AND c.moment < s.moment + INTERVAL 24 HOUR
    EXCEPT
    SELECT s.person_id, s.account_id
    FROM upgrade_starts s
    JOIN upgrade_completions c ON c.account_id = s.account_id AND c.moment >= s.moment AND c.moment < s.moment + INTERVAL 24 HOUR
),
enterprise_request AS (
    SELECT person_id, account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'enterprise_request' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
billing_question AS (
    SELECT person_id, account_id, count(*) AS value
    FROM analyst_events
    WHERE name = 'billing_question' AND timestamp >= getvariable('as_of') - INTERVAL 30 DAY
    GROUP BY ALL
),
company_size AS (
    SELECT account_id, CASE WHEN employees >= 500 THEN 20 WHEN employees >= 50 THEN 10 ELSE 0 END AS points FROM accounts
),
target_industry AS (
    SELECT account_id, CASE WHEN lower(trim(industry)) IN ('software', 'healthcare') THEN 10 ELSE 0 END AS points FROM accounts
),
icp_match AS (
    SELECT account_id, CASE WHEN icp THEN 15 ELSE 0 END AS points FROM accounts
),
inactive AS (
    SELECT person_id, account_id FROM analyst_pairs WHERE first_active_at IS NOT NULL
    EXCEPT
    SELECT person_id, account_id FROM active WHERE timestamp >= getvariable('as_of') - INTERVAL 7 DAY
),
account_age AS (
    SELECT account_id, min(moment) AS since
    FROM (
        SELECT account_id, first_at AS moment FROM analyst_pairs
        UNION ALL
        SELECT account_id, created_at FROM accounts
        UNION ALL
        SELECT m.account_id, w.created_at FROM workspaces w JOIN analyst_workspace_accounts m USING (workspace_id)
    )
    GROUP BY account_id
),
inviting AS (
    SELECT DISTINCT account_id FROM analyst_events WHERE name = 'invite_sent'
),
lonely AS (
    SELECT account_id, any_value(person_id) AS person_id
    FROM analyst_pairs
    WHERE first_active_at IS NOT NULL
        AND account_id NOT IN (SELECT account_id FROM inviting)
        AND account_id IN (SELECT account_id FROM account_age WHERE since < getvariable('as_of') - INTERVAL 30 DAY)
    GROUP BY account_id
    HAVING count(*) = 1
),
premium_ever AS (
    SELECT DISTINCT person_id, account_id FROM analyst_events WHERE name = 'premium_feature'
),
free_only AS (
    SELECT p.person_id, p.account_id
    FROM analyst_pairs p
    JOIN sign_up s USING (person_id, account_id)
    ANTI JOIN premium_ever USING (person_id, account_id)
    ANTI JOIN paying USING (account_id)
    WHERE coalesce(s.moment, p.first_at) < getvariable('as_of') - INTERVAL 30 DAY
),

points AS (
    SELECT
        p.person_id,
        p.account_id,
        p.known,
        p.first_at,
        coalesce(sticky.active_days, 0) AS active_days,
        CASE WHEN premium.value >= 3 THEN 15 WHEN premium.value >= 1 THEN 10 ELSE 0 END AS premium_features,
        CASE WHEN limits.value >= 1 THEN 20 ELSE 0 END AS limit_reached,
        CASE WHEN api.value >= 1 THEN 15 ELSE 0 END AS api_or_integration,
        CASE WHEN breadth.value >= 5 THEN 10 ELSE 0 END AS feature_breadth,
        CASE WHEN invites.value >= 6 THEN 30 WHEN invites.value >= 3 THEN 20 WHEN invites.value >= 1 THEN 10 ELSE 0 END AS invites,
        CASE WHEN colleagues.value >= 10 THEN 25 WHEN colleagues.value >= 3 THEN 15 ELSE 0 END AS same_domain_people,
        CASE WHEN shares.value >= 1 THEN 10 ELSE 0 END AS external_share,
        CASE WHEN fast.activated_at < sign_up.moment + INTERVAL 1 HOUR THEN 10 ELSE 0 END AS fast_activation,
        CASE WHEN sticky.active_days > 15 THEN 20 WHEN sticky.active_days > 9 THEN 10 ELSE 0 END AS stickiness,
        CASE WHEN rising.person_id IS NOT NULL THEN 15 ELSE 0 END AS rising_usage,
        CASE WHEN week.active_days >= 5 THEN 15 ELSE 0 END AS active_5_of_7,
        CASE WHEN pricing.value >= 3 THEN 20 WHEN pricing.value >= 1 THEN 10 ELSE 0 END AS pricing_views,
        CASE WHEN abandoned.person_id IS NOT NULL THEN 25 ELSE 0 END AS upgrade_abandoned,
        CASE WHEN requests.value >= 1 THEN 30 ELSE 0 END AS enterprise_request,
        CASE WHEN billing.value >= 1 THEN 20 ELSE 0 END AS billing_question,
        coalesce(size.points, 0) AS company_size,
        coalesce(industry.points, 0) AS target_industry,
        coalesce(icp.points, 0) AS icp_match,
        CASE WHEN inactive.person_id IS NOT NULL THEN -20 ELSE 0 END AS inactive,
        CASE WHEN declining.person_id IS NOT NULL THEN -15 ELSE 0 END AS declining_usage,
        CASE WHEN lonely.person_id IS NOT NULL THEN -10 ELSE 0 END AS lonely,
        CASE WHEN free.person_id IS NOT NULL THEN -10 ELSE 0 END AS free_only
    FROM analyst_pairs p
    LEFT JOIN premium_features premium USING (person_id, account_id)
    LEFT JOIN limit_reached limits USING (person_id, account_id)
    LEFT JOIN api_or_integration api USING (person_id, account_id)
    LEFT JOIN feature_breadth breadth USING (person_id, account_id)
    LEFT JOIN invites USING (person_id, account_id)
    LEFT JOIN analyst_person_domains own ON own.person_id = p.person_id
    LEFT JOIN same_domain_people colleagues ON colleagues.account_id = p.account_id AND colleagues.domain = own.domain
    LEFT JOIN external_share shares ON shares.person_id = p.person_id AND shares.account_id = p.account_id
    LEFT JOIN fast_activation fast ON fast.person_id = p.person_id AND fast.account_id = p.account_id
    LEFT JOIN sign_up ON sign_up.person_id = p.person_id AND sign_up.account_id = p.account_id
    LEFT JOIN stickiness sticky ON sticky.person_id = p.person_id AND sticky.account_id = p.account_id
    LEFT JOIN rising_usage rising ON rising.person_id = p.person_id AND rising.account_id = p.account_id
    LEFT JOIN active_5_of_7 week ON week.person_id = p.person_id AND week.account_id = p.account_id
    LEFT JOIN pricing_views pricing ON pricing.person_id = p.person_id AND pricing.account_id = p.account_id
    LEFT JOIN upgrade_abandoned abandoned ON abandoned.person_id = p.person_id AND abandoned.account_id = p.account_id
    LEFT JOIN enterprise_request requests ON requests.person_id = p.person_id AND requests.account_id = p.account_id
    LEFT JOIN billing_question billing ON billing.person_id = p.person_id AND billing.account_id = p.account_id
    LEFT JOIN company_size size ON size.account_id = p.account_id
    LEFT JOIN target_industry industry ON industry.account_id = p.account_id
    LEFT JOIN icp_match icp ON icp.account_id = p.account_id
    LEFT JOIN inactive ON inactive.person_id = p.person_id AND inactive.account_id = p.account_id
    LEFT JOIN declining_usage declining ON declining.person_id = p.person_id AND declining.account_id = p.account_id
    LEFT JOIN lonely ON lonely.person_id = p.person_id AND lonely.account_id = p.account_id
    LEFT JOIN free_only free ON free.person_id = p.person_id AND free.account_id = p.account_id
),
summed AS (
    SELECT
        *,
        premium_features + limit_reached + api_or_integration + feature_breadth + invites + same_domain_people + external_share
            + fast_activation + stickiness + rising_usage + active_5_of_7 + pricing_views + upgrade_abandoned
            + enterprise_request + billing_question + inactive + declining_usage + lonely + free_only AS behaviour_points
    FROM points
)
SELECT
    *,
    behaviour_points + company_size + target_industry + icp_match AS score,
    CASE
        WHEN behaviour_points + company_size + target_industry + icp_match >= 80 THEN 'hot'
        WHEN behaviour_points + company_size + target_industry + icp_match >= 50 THEN 'warm'
        WHEN behaviour_points + company_size + target_industry + icp_match >= 30 THEN 'emerging'
        ELSE 'none'
    END AS band
FROM summed;
