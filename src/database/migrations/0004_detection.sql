-- Detection: day closing, baselines, detector configuration and runs.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- A day is closed first (dirty) and then evaluated for every SIM; late rows make it dirty again, so that its close is evaluated again.
-- dirty_through: what happened on this day reaches the closed days up to this one (running totals, baselines, habits): they follow.
-- late_marks: how often late rows came; a pass clears dirty only where none came while it ran. evaluated_at: end of the first whole pass.
CREATE TABLE day_close (
  client_id int4 NOT NULL,
  day date NOT NULL,
  closed_at timestamptz NOT NULL,
  incomplete bool NOT NULL,
  dirty bool NOT NULL DEFAULT false,
  dirty_through date,
  late_marks int4 NOT NULL DEFAULT 0,
  evaluated_at timestamptz,
  CONSTRAINT day_close_pk PRIMARY KEY (client_id, day)
);
CREATE INDEX day_close_marked ON day_close (client_id, day) WHERE dirty OR incomplete;
CALL protect_tenant_table('day_close', 'SELECT');

-- Median bytes per SIM and day (period DAY) or ISO week (period WEEK) of a device model family, over the closed days or weeks before for_day.
CREATE TABLE baseline (
  client_id int4 NOT NULL,
  family text NOT NULL,
  period text NOT NULL,
  for_day date NOT NULL,
  median_bytes float8 NOT NULL,
  sims int4 NOT NULL,
  days int4 NOT NULL,
  computed_at timestamptz NOT NULL,
  CONSTRAINT baseline_pk PRIMARY KEY (client_id, family, period, for_day),
  CONSTRAINT baseline_period CHECK (period IN ('DAY', 'WEEK'))
);
CREATE INDEX baseline_page ON baseline (client_id, for_day DESC, family DESC, period DESC);
CALL protect_tenant_table('baseline', 'SELECT');

-- Where each SIM was seen on a closed day: kind NETWORK (value: MCC) or DESTINATION (value: host name, IP or AS number). Kept 100 days.
CREATE TABLE sighting_sim_day (
  client_id int4 NOT NULL,
  day date NOT NULL,
  kind text NOT NULL,
  value text NOT NULL,
  sim_id int8 NOT NULL,
  CONSTRAINT sighting_sim_day_pk PRIMARY KEY (client_id, day, kind, value, sim_id),
  CONSTRAINT sighting_sim_day_kind CHECK (kind IN ('NETWORK', 'DESTINATION'))
);
CALL protect_tenant_table('sighting_sim_day', 'SELECT');

-- How many SIMs were seen there in the 28 days before for_day: NETWORK per client (family ''), DESTINATION and TRAFFIC (any usage, value '') per family.
CREATE TABLE habit (
  client_id int4 NOT NULL,
  for_day date NOT NULL,
  kind text NOT NULL,
  family text NOT NULL,
  value text NOT NULL,
  sims int4 NOT NULL,
  CONSTRAINT habit_pk PRIMARY KEY (client_id, for_day, kind, family, value),
  CONSTRAINT habit_kind CHECK (kind IN ('NETWORK', 'DESTINATION', 'TRAFFIC'))
);
CALL protect_tenant_table('habit', 'SELECT');

-- The most specific scope wins: SIM, then FLEET, then CLIENT; client 0 holds the operator's defaults for all.
CREATE TABLE detector_configuration (
  client_id int4 NOT NULL,
  detector_id text NOT NULL,
  scope text NOT NULL,
  scope_id text NOT NULL,
  mode text NOT NULL,
  options jsonb NOT NULL,
  updated_at timestamptz NOT NULL,
  updated_by text NOT NULL,
  CONSTRAINT detector_configuration_pk PRIMARY KEY (client_id, detector_id, scope, scope_id),
  CONSTRAINT detector_configuration_scope CHECK (scope IN ('CLIENT', 'FLEET', 'SIM')),
  CONSTRAINT detector_configuration_mode CHECK (mode IN ('ENABLED', 'SHADOW', 'DISABLED'))
);
CALL protect_tenant_table('detector_configuration', 'SELECT, INSERT, UPDATE, DELETE');
-- A customer sees which mode the operator chose for all, and overrides it with rows of its own.
CREATE POLICY operator_defaults ON detector_configuration FOR SELECT TO simwarden_tenant USING (client_id = 0);

-- One row per client, detector, day and trigger; evaluating the day again updates it.
CREATE TABLE detection_run (
  client_id int4 NOT NULL,
  run_id uuid NOT NULL,
  detector_id text NOT NULL,
  detector_version text NOT NULL,
  day date NOT NULL,
  trigger text NOT NULL,
  state text NOT NULL,
  evaluations int4 NOT NULL,
  rows_evaluated int8 NOT NULL,
  rows_abstained int8 NOT NULL,
  hits int8 NOT NULL,
  consecutive_failures int4 NOT NULL DEFAULT 0,
  error text,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  CONSTRAINT detection_run_pk PRIMARY KEY (client_id, run_id),
  CONSTRAINT detection_run_day UNIQUE (client_id, detector_id, day, trigger),
  CONSTRAINT detection_run_trigger CHECK (trigger IN ('STREAM', 'DAY_CLOSE', 'ON_DEMAND')),
  CONSTRAINT detection_run_state CHECK (state IN ('RUNNING', 'SUCCEEDED', 'FAILED'))
);
CREATE INDEX detection_run_page ON detection_run (client_id, day DESC, run_id DESC);
CALL protect_tenant_table('detection_run', 'SELECT');

-- Whether a detector works for a client: after three failures in a row it is off until it is configured again or another version is loaded.
-- failed_day: the day it failed on when it was switched off; the operator's alert belongs to that window.
CREATE TABLE detector_health (
  client_id int4 NOT NULL,
  detector_id text NOT NULL,
  detector_version text NOT NULL,
  consecutive_failures int4 NOT NULL,
  off_since timestamptz,
  failed_day date,
  error text,
  updated_at timestamptz NOT NULL,
  CONSTRAINT detector_health_pk PRIMARY KEY (client_id, detector_id)
);
CALL protect_tenant_table('detector_health', 'SELECT');
