"""Other engines on the same question, each in its best plain form; none of them does all that a refresh does.

The question, over all raw events before a day T, for each `actor` (person_id, else anonymous_id), `identified` (it was the
person_id) and `workspace_id`, which is what the template's person signals need of events:

- lifetime: first event, first active event, first signed_up, activation, invite_sent and premium_feature;
- last 30 days: how many limit_reached, api_or_integration, external_share, pricing_view, enterprise_request and
  billing_question; colleagues invited; last upgrade_started; active days of 30 and of 7; active events of weeks 0 to 3;
  different premium features, and different features of both kinds.

Not asked of a rival: whose the workspace is, accounts and their signals, points, bands, tiers, receipts, history.
"""
