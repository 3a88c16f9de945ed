-- Lists of a fleet's alerts and incidents by index; whose word an incident's title is; what is forgotten.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

CREATE INDEX alert_fleet_page ON alert (client_id, fleet_id, created_at DESC, alert_id DESC);
CREATE INDEX incident_fleet_page ON incident (client_id, fleet_id, created_at DESC, incident_id DESC);

-- title_by: who gave the title; null: it follows the alerts. Titles from before this column stay as they are.
ALTER TABLE incident ADD COLUMN title_by text DEFAULT 'unknown';
ALTER TABLE incident ALTER COLUMN title_by DROP DEFAULT;

CREATE INDEX outbox_finished ON outbox (client_id, finished_at) WHERE state <> 'PENDING';
CREATE INDEX idempotency_age ON idempotency (client_id, created_at);
