-- Telemetry: records by day, their roll-ups, the ingest ledger, quarantine, and watermarks.
-- Telemetry holds sim_id, never IMSI or ICCID, and has no foreign keys. Day is always the UTC day.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- Identity of a record: (client, source, day, record_id); without an id of its own, the hash of the row.
-- content_hash tells a repeat (equal) from a conflict (other content under the same identity).
CREATE TABLE usage_record (
  client_id int4 NOT NULL,
  source text NOT NULL,
  day date NOT NULL,
  record_id text NOT NULL,
  content_hash int8 NOT NULL,
  sim_id int8 NOT NULL,
  fleet_id uuid,
  started_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  uplink_bytes int8 NOT NULL,
  downlink_bytes int8 NOT NULL,
  plmn text,
  rat text,
  imei text,
  apn text,
  destination text,
  received_at timestamptz NOT NULL,
  CONSTRAINT usage_record_pk PRIMARY KEY (client_id, source, day, record_id)
) PARTITION BY RANGE (day);
CREATE INDEX usage_record_sim ON usage_record (client_id, sim_id, started_at DESC, source, record_id);
CALL protect_tenant_table('usage_record', 'SELECT');

CREATE TABLE connection_event (
  client_id int4 NOT NULL,
  source text NOT NULL,
  day date NOT NULL,
  event_id text NOT NULL,
  content_hash int8 NOT NULL,
  sim_id int8 NOT NULL,
  type text NOT NULL,
  occurred_at timestamptz NOT NULL,
  imei text,
  plmn text,
  rat text,
  session_id text,
  uplink_bytes int8,
  downlink_bytes int8,
  received_at timestamptz NOT NULL,
  CONSTRAINT connection_event_pk PRIMARY KEY (client_id, source, day, event_id)
) PARTITION BY RANGE (day);
CREATE INDEX connection_event_sim ON connection_event (client_id, sim_id, occurred_at DESC, source, event_id);
CALL protect_tenant_table('connection_event', 'SELECT');

CREATE TABLE device_event (
  client_id int4 NOT NULL,
  source text NOT NULL,
  day date NOT NULL,
  event_id text NOT NULL,
  content_hash int8 NOT NULL,
  sim_id int8 NOT NULL,
  type text NOT NULL,
  occurred_at timestamptz NOT NULL,
  count int4 NOT NULL DEFAULT 1,
  detail text,
  received_at timestamptz NOT NULL,
  CONSTRAINT device_event_pk PRIMARY KEY (client_id, source, day, event_id)
) PARTITION BY RANGE (day);
CREATE INDEX device_event_sim ON device_event (client_id, sim_id, occurred_at DESC, source, event_id);
CALL protect_tenant_table('device_event', 'SELECT');

-- Roll-ups, kept only from rows really inserted, upserted in key order.
CREATE TABLE usage_sim_hour (
  client_id int4 NOT NULL,
  sim_id int8 NOT NULL,
  hour timestamptz NOT NULL,
  uplink_bytes int8 NOT NULL,
  downlink_bytes int8 NOT NULL,
  CONSTRAINT usage_sim_hour_pk PRIMARY KEY (client_id, sim_id, hour)
);
CALL protect_tenant_table('usage_sim_hour', 'SELECT');

-- fleet_id: the fleet that the SIM's latest record of the day belongs to (latest_at tells which); total = uplink + downlink.
CREATE TABLE usage_sim_day (
  client_id int4 NOT NULL,
  day date NOT NULL,
  sim_id int8 NOT NULL,
  fleet_id uuid,
  latest_at timestamptz NOT NULL,
  uplink_bytes int8 NOT NULL,
  downlink_bytes int8 NOT NULL,
  total_bytes int8 NOT NULL,
  CONSTRAINT usage_sim_day_pk PRIMARY KEY (client_id, day, sim_id)
);
CREATE INDEX usage_sim_day_top ON usage_sim_day (client_id, day, total_bytes DESC, sim_id);
CREATE INDEX usage_sim_day_fleet_top ON usage_sim_day (client_id, fleet_id, day, total_bytes DESC, sim_id);
CREATE INDEX usage_sim_day_sim ON usage_sim_day (client_id, sim_id, day);
CALL protect_tenant_table('usage_sim_day', 'SELECT');

CREATE TABLE usage_fleet_hour (
  client_id int4 NOT NULL,
  fleet_id uuid NOT NULL,
  hour timestamptz NOT NULL,
  uplink_bytes int8 NOT NULL,
  downlink_bytes int8 NOT NULL,
  CONSTRAINT usage_fleet_hour_pk PRIMARY KEY (client_id, fleet_id, hour)
);
CALL protect_tenant_table('usage_fleet_hour', 'SELECT');

CREATE TABLE usage_client_hour (
  client_id int4 NOT NULL,
  hour timestamptz NOT NULL,
  uplink_bytes int8 NOT NULL,
  downlink_bytes int8 NOT NULL,
  CONSTRAINT usage_client_hour_pk PRIMARY KEY (client_id, hour)
);
CALL protect_tenant_table('usage_client_hour', 'SELECT');

-- What was stored of a batch, one row per chunk and client: a repeat with the same hash is answered from here.
-- Of an operator's chunk each client's row counts its own part; client 0's row comes last and counts the whole chunk.
-- hash covers the settled_rows that ended with a line break; tail tells what became of a last row without one, which may have been cut.
CREATE TABLE ingest_chunk (
  client_id int4 NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  batch_key text NOT NULL,
  chunk int4 NOT NULL,
  hash bytea NOT NULL,
  settled_rows int4 NOT NULL,
  tail jsonb,
  accepted int4 NOT NULL,
  duplicates int4 NOT NULL,
  rejected int4 NOT NULL,
  errors jsonb NOT NULL,
  committed_at timestamptz NOT NULL,
  CONSTRAINT ingest_chunk_pk PRIMARY KEY (client_id, source, kind, batch_key, chunk)
);
CALL protect_tenant_table('ingest_chunk', '');

-- Rows that could not be stored, kept 30 days. Identity: the same bad row sent again is one row here.
CREATE TABLE quarantine (
  client_id int4 NOT NULL,
  quarantine_id uuid NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  record_hash int8 NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  batch_key text NOT NULL,
  line int8 NOT NULL,
  record jsonb NOT NULL,
  iccid text,
  state text NOT NULL DEFAULT 'HELD',
  received_at timestamptz NOT NULL,
  resolved_at timestamptz,
  CONSTRAINT quarantine_pk PRIMARY KEY (client_id, quarantine_id),
  CONSTRAINT quarantine_record UNIQUE (client_id, source, kind, record_hash, code),
  CONSTRAINT quarantine_state CHECK (state IN ('HELD', 'REQUEUED'))
);
CREATE INDEX quarantine_page ON quarantine (quarantine_id);
CREATE INDEX quarantine_unknown_sim ON quarantine (client_id, iccid) WHERE state = 'HELD' AND code = 'UNKNOWN_SIM';
CALL protect_tenant_table('quarantine', 'SELECT');

-- The latest event time a source delivered, per client (client 0: the source as a whole). Never call a SIM silent while its source is late.
CREATE TABLE source_watermark (
  client_id int4 NOT NULL,
  source text NOT NULL,
  kind text NOT NULL,
  watermark timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  CONSTRAINT source_watermark_pk PRIMARY KEY (client_id, source, kind)
);
CALL protect_tenant_table('source_watermark', 'SELECT');

-- What evaluation still owes: inserted with the records, deleted with the alerts they caused.
-- reason: INGEST (a chunk touched these SIMs), REQUEUE, SETTING (a threshold, binding or configuration changed).
CREATE TABLE evaluation_queue (
  client_id int4 NOT NULL,
  queue_id uuid NOT NULL,
  day date NOT NULL,
  sim_ids int8[] NOT NULL,
  reason text NOT NULL,
  enqueued_at timestamptz NOT NULL,
  CONSTRAINT evaluation_queue_pk PRIMARY KEY (client_id, queue_id)
);
CALL protect_tenant_table('evaluation_queue', 'INSERT');
