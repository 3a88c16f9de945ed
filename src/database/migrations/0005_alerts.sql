-- Alerts, their occurrences, thresholds; incidents and their log.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- subject CLIENT: a default for every SIM (PER_SIM) or the client's total; FLEET: inherited by each SIM of the fleet (PER_SIM) or the fleet's total; SIM: that SIM.
CREATE TABLE threshold (
  client_id int4 NOT NULL,
  threshold_id uuid NOT NULL,
  subject text NOT NULL,
  subject_id text NOT NULL,
  measure text NOT NULL,
  period text NOT NULL,
  limit_bytes int8 NOT NULL,
  warn_percent float8 NOT NULL DEFAULT 80,
  clear_percent float8 NOT NULL DEFAULT 90,
  updated_at timestamptz NOT NULL,
  updated_by text NOT NULL,
  CONSTRAINT threshold_pk PRIMARY KEY (client_id, threshold_id),
  CONSTRAINT threshold_key UNIQUE (client_id, subject, subject_id, measure, period),
  CONSTRAINT threshold_subject CHECK (subject IN ('CLIENT', 'FLEET', 'SIM')),
  CONSTRAINT threshold_measure CHECK (measure IN ('PER_SIM', 'TOTAL')),
  CONSTRAINT threshold_period CHECK (period IN ('DAY', 'MONTH')),
  CONSTRAINT threshold_limit CHECK (limit_bytes > 0)
);
CALL protect_tenant_table('threshold', 'SELECT, INSERT, UPDATE, DELETE');

-- At most one live alert per fingerprint: concurrency can't make two.
-- All times but created_at, updated_at and the operator's own are event time.
-- handled_severity, handled_through: the severity and the latest window that the operator saw when acknowledging, resolving or dismissing; null once that decision is void.
-- The windows of an alert are at most 48 h apart (24 h to clear, 24 h to reopen); severity, title, score and evidence are those of its latest window.
CREATE TABLE alert (
  client_id int4 NOT NULL,
  alert_id uuid NOT NULL,
  fingerprint text NOT NULL,
  detector_id text NOT NULL,
  kind text NOT NULL,
  subject text NOT NULL,
  subject_id text NOT NULL,
  sim_id int8,
  fleet_id uuid,
  severity text NOT NULL,
  state text NOT NULL,
  title text NOT NULL,
  score float8 NOT NULL,
  evidence jsonb NOT NULL,
  first_window_start timestamptz NOT NULL,
  last_window_start timestamptz NOT NULL,
  last_window_end timestamptz NOT NULL,
  occurrence_count int4 NOT NULL,
  late bool NOT NULL DEFAULT false,
  incident_id uuid,
  acknowledged_at timestamptz,
  acknowledged_by text,
  note text,
  resolved_at timestamptz,
  resolved_by text,
  resolution text,
  resolution_reason text,
  dismissed_at timestamptz,
  dismissed_by text,
  dismissed_until timestamptz,
  dismissed_reason text,
  handled_severity text,
  handled_through timestamptz,
  sequence int4 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT alert_pk PRIMARY KEY (client_id, alert_id),
  CONSTRAINT alert_subject CHECK (subject IN ('SIM', 'FLEET', 'CLIENT', 'NETWORK', 'DETECTOR')),
  CONSTRAINT alert_severity CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL')),
  CONSTRAINT alert_state CHECK (state IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'DISMISSED'))
);
CREATE UNIQUE INDEX alert_live_fingerprint ON alert (client_id, fingerprint) WHERE state IN ('OPEN', 'ACKNOWLEDGED');
CREATE INDEX alert_unresolved ON alert (client_id, last_window_end) WHERE state <> 'RESOLVED';
-- Also finds an alert's previous one: the latest of its fingerprint that began before it.
CREATE INDEX alert_fingerprint ON alert (client_id, fingerprint, first_window_start DESC);
CREATE INDEX alert_page ON alert (client_id, created_at DESC, alert_id DESC);
CREATE INDEX alert_state_page ON alert (client_id, state, created_at DESC, alert_id DESC);
CREATE INDEX alert_window_page ON alert (client_id, last_window_start DESC, alert_id DESC);
CREATE INDEX alert_severity_page ON alert (client_id, array_position(ARRAY['INFO', 'WARNING', 'CRITICAL'], severity) DESC, created_at DESC, alert_id DESC);
CREATE INDEX alert_sim ON alert (client_id, sim_id, created_at DESC, alert_id DESC);
CREATE INDEX alert_incident ON alert (client_id, incident_id);
CALL protect_tenant_table('alert', 'SELECT, INSERT, UPDATE');

-- Evaluating a window again (stream, daily run, late data, replay) updates its row.
CREATE TABLE alert_occurrence (
  client_id int4 NOT NULL,
  alert_id uuid NOT NULL,
  window_start timestamptz NOT NULL,
  window_end timestamptz NOT NULL,
  severity text NOT NULL,
  title text NOT NULL,
  score float8 NOT NULL,
  evidence jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT alert_occurrence_pk PRIMARY KEY (client_id, alert_id, window_start)
);
CREATE INDEX alert_occurrence_window ON alert_occurrence (client_id, window_start, alert_id);
CALL protect_tenant_table('alert_occurrence', 'SELECT, INSERT, UPDATE, DELETE');

-- A correlation key is unique among open incidents. opened_at is event time: when the trouble of its first alert began.
-- live_alerts: how many of its alerts are OPEN or ACKNOWLEDGED; an incident without any stays open until a human closes it.
CREATE TABLE incident (
  client_id int4 NOT NULL,
  incident_id uuid NOT NULL,
  correlation_key text NOT NULL,
  state text NOT NULL,
  title text NOT NULL,
  severity text NOT NULL,
  sim_id int8,
  fleet_id uuid,
  live_alerts int4 NOT NULL,
  proposed_root_cause text NOT NULL DEFAULT 'UNKNOWN',
  proposed_evidence jsonb NOT NULL DEFAULT '[]',
  root_cause text,
  root_cause_by text,
  assignee text,
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_by text,
  merged_into uuid,
  sequence int4 NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT incident_pk PRIMARY KEY (client_id, incident_id),
  CONSTRAINT incident_state CHECK (state IN ('OPEN', 'CLOSED')),
  CONSTRAINT incident_severity CHECK (severity IN ('INFO', 'WARNING', 'CRITICAL'))
);
CREATE UNIQUE INDEX incident_open_key ON incident (client_id, correlation_key) WHERE state = 'OPEN';
CREATE INDEX incident_page ON incident (client_id, created_at DESC, incident_id DESC);
CREATE INDEX incident_state_page ON incident (client_id, state, created_at DESC, incident_id DESC);
CREATE INDEX incident_sim ON incident (client_id, sim_id, created_at DESC, incident_id DESC);
CALL protect_tenant_table('incident', 'SELECT, INSERT, UPDATE');

CREATE TABLE incident_log (
  client_id int4 NOT NULL,
  incident_id uuid NOT NULL,
  entry_id uuid NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  text text NOT NULL,
  CONSTRAINT incident_log_pk PRIMARY KEY (client_id, incident_id, entry_id)
);
CALL protect_tenant_table('incident_log', 'SELECT, INSERT');
