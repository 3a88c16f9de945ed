-- The event log behind every subscription. Writers insert without a position; the sequencer, holding the one head row,
-- moves rows over and gives dense positions. Only positioned rows are visible, so a reader never steps over a hole
-- and a long foreign transaction holds nothing back.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

CREATE TABLE event_pending (
  client_id int4 NOT NULL,
  event_id uuid NOT NULL,
  type text NOT NULL,
  subject_id text NOT NULL,
  sequence int4 NOT NULL,
  fields text[] NOT NULL,
  from_state text,
  to_state text,
  attributes jsonb NOT NULL,
  occurred_at timestamptz NOT NULL,
  CONSTRAINT event_pending_pk PRIMARY KEY (client_id, event_id)
);
CALL protect_tenant_table('event_pending', 'INSERT');

-- logged_at: when it got its position, by the wall clock; retention counts from it.
CREATE TABLE event_log (
  client_id int4 NOT NULL,
  position int8 NOT NULL,
  event_id uuid NOT NULL,
  type text NOT NULL,
  subject_id text NOT NULL,
  sequence int4 NOT NULL,
  fields text[] NOT NULL,
  from_state text,
  to_state text,
  attributes jsonb NOT NULL,
  occurred_at timestamptz NOT NULL,
  logged_at timestamptz NOT NULL,
  CONSTRAINT event_log_pk PRIMARY KEY (client_id, position)
);
CREATE INDEX event_log_position ON event_log (position);
CALL protect_tenant_table('event_log', 'SELECT');

-- trimmed_through: positions up to here were dropped by retention; a cursor before it gets a gap marker.
CREATE TABLE event_head (
  one int2 NOT NULL,
  position int8 NOT NULL,
  trimmed_through int8 NOT NULL DEFAULT 0,
  CONSTRAINT event_head_pk PRIMARY KEY (one),
  CONSTRAINT event_head_single CHECK (one = 1)
);
INSERT INTO event_head (one, position) VALUES (1, 0);
GRANT SELECT ON event_head TO simwarden_tenant;
GRANT SELECT, UPDATE ON event_head TO simwarden_operator, simwarden_ingest;
