-- Signaling dialogues at carrier rate, the counters kept with them, and what strict batches are deduplicated by.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- Visited VLRs, SGSNs and MMEs by name: a reference table, since one node serves the SIMs of many clients.
CREATE SEQUENCE network_node_id AS int4;
GRANT USAGE ON SEQUENCE network_node_id TO simwarden_ingest;
CREATE TABLE network_node (
  node_id int4 NOT NULL,
  name text NOT NULL,
  CONSTRAINT network_node_pk PRIMARY KEY (node_id),
  CONSTRAINT network_node_name UNIQUE (name)
);
GRANT SELECT ON network_node TO simwarden_tenant, simwarden_operator;
GRANT SELECT, INSERT ON network_node TO simwarden_ingest;

-- Codes: src/telemetry/dialogue-codes.ts; plmn = (mcc * 1000 + mnc) * 2 + (1 where the MNC has three digits).
-- The one table without a key: a dialogue has no identity of its own, and an index kept up while a day is open makes loading it 3 to 5 times slower.
-- The leaf of a closed day gets (client_id, sim_id, started_at).
CREATE TABLE dialogue (
  client_id int4 NOT NULL,
  day date NOT NULL,
  sim_id int8 NOT NULL,
  started_at timestamptz NOT NULL,
  duration_ms int4,
  protocol int2 NOT NULL,
  procedure int2 NOT NULL,
  origin int2 NOT NULL,
  outcome int2 NOT NULL,
  result_code int4,
  plmn int4,
  node_id int4,
  cancellation_type int2,
  format_violation boolean NOT NULL
) PARTITION BY RANGE (day);
CALL protect_tenant_table('dialogue', 'SELECT');

-- Dialogues per quarter of an hour, counted with the chunk that stores them. plmn 0: unknown.
CREATE TABLE signaling_quarter_hour (
  client_id int4 NOT NULL,
  quarter timestamptz NOT NULL,
  plmn int4 NOT NULL,
  procedure int2 NOT NULL,
  origin int2 NOT NULL,
  outcome int2 NOT NULL,
  protocol int2 NOT NULL,
  dialogues int8 NOT NULL,
  CONSTRAINT signaling_quarter_hour_pk PRIMARY KEY (client_id, quarter, plmn, procedure, origin, outcome, protocol)
);
CALL protect_tenant_table('signaling_quarter_hour', 'SELECT');

-- Days that have dialogues: changes rises with every chunk that adds some, so that a pass over the day knows whether it saw all.
CREATE TABLE signaling_day (
  client_id int4 NOT NULL,
  day date NOT NULL,
  dialogues int8 NOT NULL,
  changes int8 NOT NULL,
  first_received_at timestamptz NOT NULL,
  last_received_at timestamptz NOT NULL,
  CONSTRAINT signaling_day_pk PRIMARY KEY (client_id, day)
);
CREATE INDEX signaling_day_received ON signaling_day (last_received_at);
CALL protect_tenant_table('signaling_day', 'SELECT');

-- Leaves of closed days that have their index.
CREATE TABLE dialogue_indexed_day (
  day date NOT NULL,
  indexed_at timestamptz NOT NULL,
  CONSTRAINT dialogue_indexed_day_pk PRIMARY KEY (day)
);
GRANT SELECT ON dialogue_indexed_day TO simwarden_ingest;

-- What strict batches stored, packed as in src/telemetry/dialogues/identity-segments.ts: a cell is a quarter of an hour of a range of SIMs, each strict
-- chunk adds a segment to the cells it touches. The cell's row is what two chunks wait for each other at. All belong to client 0, as the operator's
-- ledger does: a SIM's number is unique across clients, so no client's dialogue equals another's.
CREATE TABLE dialogue_cell (
  client_id int4 NOT NULL,
  day date NOT NULL,
  cell int8 NOT NULL,
  segments int4 NOT NULL,
  CONSTRAINT dialogue_cell_pk PRIMARY KEY (client_id, day, cell)
) PARTITION BY RANGE (day);
CALL protect_tenant_table('dialogue_cell', '');
CREATE TABLE dialogue_segment (
  client_id int4 NOT NULL,
  day date NOT NULL,
  cell int8 NOT NULL,
  segment int4 NOT NULL,
  identities bytea NOT NULL,
  CONSTRAINT dialogue_segment_pk PRIMARY KEY (client_id, day, cell, segment)
) PARTITION BY RANGE (day);
-- Hardly compressible, and read whole.
ALTER TABLE dialogue_segment ALTER COLUMN identities SET STORAGE EXTERNAL;
CALL protect_tenant_table('dialogue_segment', '');

-- Rises whenever an identifier changes hands, so that a process may keep owners in memory and know when to forget them.
CREATE TABLE directory_version (
  kind text NOT NULL,
  version int8 NOT NULL,
  CONSTRAINT directory_version_pk PRIMARY KEY (kind)
);
INSERT INTO directory_version (kind, version) VALUES ('IMSI', 0);
GRANT SELECT, UPDATE ON directory_version TO simwarden_operator, simwarden_ingest;

-- Dialogues name their SIM by IMSI.
ALTER TABLE quarantine ADD COLUMN imsi text;
CREATE INDEX quarantine_unknown_imsi ON quarantine (client_id, imsi) WHERE state = 'HELD' AND code = 'UNKNOWN_SIM';
