-- The daily population run: models, clusters, runs with their checkpoints, what they decided, and feedback.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- One fit of everything; client 0. Models hold no identifiers. state: READY once every model of it is stored.
CREATE TABLE population_generation (
  client_id int4 NOT NULL,
  generation int4 NOT NULL,
  state text NOT NULL,
  from_day date NOT NULL,
  to_day date NOT NULL,
  seed int8 NOT NULL,
  catalogue_hash text NOT NULL,
  trained_rows int8 NOT NULL,
  fitted_at timestamptz NOT NULL,
  CONSTRAINT population_generation_pk PRIMARY KEY (client_id, generation),
  CONSTRAINT population_generation_state CHECK (state IN ('FITTING', 'READY'))
);
CALL protect_tenant_table('population_generation', 'SELECT');

-- A model as bytes with its header; detector_id 'clusters' holds the mixture, 'drift' the reference shares of each feature. cluster -1: of all.
CREATE TABLE population_model (
  client_id int4 NOT NULL,
  generation int4 NOT NULL,
  detector_id text NOT NULL,
  scope text NOT NULL,
  cluster int4 NOT NULL,
  model bytea NOT NULL,
  CONSTRAINT population_model_pk PRIMARY KEY (client_id, generation, detector_id, scope, cluster)
);
CALL protect_tenant_table('population_model', 'SELECT');

-- What a cluster is like; its number keeps its meaning from one generation to the next. Client 0; every tenant may read it.
CREATE TABLE population_cluster (
  client_id int4 NOT NULL,
  generation int4 NOT NULL,
  cluster int4 NOT NULL,
  description text NOT NULL,
  weight float8 NOT NULL,
  means jsonb NOT NULL,
  continues bool NOT NULL,
  CONSTRAINT population_cluster_pk PRIMARY KEY (client_id, generation, cluster)
);
CALL protect_tenant_table('population_cluster', 'SELECT');
CREATE POLICY operator_defaults ON population_cluster FOR SELECT TO simwarden_tenant USING (client_id = 0);

-- The cluster that a SIM belongs to, from history_days days before assigned_day; assigned anew while these are few, and by each generation.
CREATE TABLE sim_cluster (
  client_id int4 NOT NULL,
  sim_id int8 NOT NULL,
  generation int4 NOT NULL,
  cluster int4 NOT NULL,
  history_days int4 NOT NULL,
  assigned_day date NOT NULL,
  CONSTRAINT sim_cluster_pk PRIMARY KEY (client_id, sim_id)
);
CREATE INDEX sim_cluster_members ON sim_cluster (client_id, cluster, sim_id);
CALL protect_tenant_table('sim_cluster', 'SELECT');

-- A job, unique by what it is and when it is due; client 0. plan: detectors with scope, options and mode, as they were when it began.
CREATE TABLE population_run (
  client_id int4 NOT NULL,
  run_id uuid NOT NULL,
  job text NOT NULL,
  scheduled_for timestamptz NOT NULL,
  from_day date NOT NULL,
  to_day date NOT NULL,
  trigger text NOT NULL,
  state text NOT NULL,
  phase text NOT NULL,
  plan jsonb,
  seed int8 NOT NULL,
  generation int4,
  rows_done int8 NOT NULL DEFAULT 0,
  rows_total int8 NOT NULL DEFAULT 0,
  result jsonb,
  warnings jsonb NOT NULL DEFAULT '[]',
  error text,
  attempts int4 NOT NULL DEFAULT 0, -- that failed; a kill is none
  requested_by text,
  sequence int4 NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  heartbeat_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT population_run_pk PRIMARY KEY (client_id, run_id),
  CONSTRAINT population_run_job UNIQUE (client_id, job, scheduled_for),
  CONSTRAINT population_run_trigger CHECK (trigger IN ('SCHEDULE', 'ON_DEMAND', 'BACKTEST', 'FIT')),
  CONSTRAINT population_run_state CHECK (state IN ('WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED'))
);
CREATE INDEX population_run_page ON population_run (client_id, created_at DESC, run_id DESC);
CREATE INDEX population_run_open ON population_run (client_id, state) WHERE state IN ('WAITING', 'RUNNING');
CALL protect_tenant_table('population_run', 'SELECT, INSERT');

-- What a run has done of a client: bucket 0, 1, 2 … are its SIMs in the order of their ids up to through_sim; cells: devices and flagged per country and cluster.
CREATE TABLE population_checkpoint (
  client_id int4 NOT NULL,
  run_id uuid NOT NULL,
  day date NOT NULL,
  detector_id text NOT NULL,
  bucket int4 NOT NULL,
  through_sim int8 NOT NULL,
  is_last bool NOT NULL,
  rows int4 NOT NULL,
  abstained int4 NOT NULL,
  flagged int4 NOT NULL,
  failure text,
  cells jsonb NOT NULL,
  CONSTRAINT population_checkpoint_pk PRIMARY KEY (client_id, run_id, day, detector_id, bucket)
);
CALL protect_tenant_table('population_checkpoint', 'SELECT');

-- The decision per client, visited country and day. raised_sims: SIMs that raised an alert with it.
CREATE TABLE client_anomaly (
  client_id int4 NOT NULL,
  day date NOT NULL,
  detector_id text NOT NULL,
  country text NOT NULL,
  scope text NOT NULL,
  mode text NOT NULL,
  devices int4 NOT NULL,
  flagged int4 NOT NULL,
  expected float8 NOT NULL,
  z_score float8 NOT NULL,
  p_value float8 NOT NULL,
  corrected_p_value float8 NOT NULL,
  verdict text NOT NULL,
  raised_sims int8[] NOT NULL,
  CONSTRAINT client_anomaly_pk PRIMARY KEY (client_id, day, detector_id, country),
  CONSTRAINT client_anomaly_verdict CHECK (verdict IN ('ANOMALOUS', 'NORMAL', 'ABSTAINED'))
);
CREATE INDEX client_anomaly_page ON client_anomaly (day, detector_id, z_score DESC, client_id DESC, country DESC);
CALL protect_tenant_table('client_anomaly', 'SELECT');

-- Flagged devices of a day. score: share of the model's training scores below, 0 to 1; raw_score: as the detector measures.
CREATE TABLE device_anomaly (
  client_id int4 NOT NULL,
  day date NOT NULL,
  detector_id text NOT NULL,
  sim_id int8 NOT NULL,
  country text NOT NULL,
  cluster int4 NOT NULL,
  score float8 NOT NULL,
  raw_score float8 NOT NULL,
  evidence jsonb NOT NULL,
  CONSTRAINT device_anomaly_pk PRIMARY KEY (client_id, day, detector_id, sim_id)
);
CREATE INDEX device_anomaly_rank ON device_anomaly (client_id, day, detector_id, score DESC, sim_id DESC);
CREATE INDEX device_anomaly_page ON device_anomaly (day, detector_id, score DESC, sim_id DESC);
CREATE INDEX device_anomaly_history ON device_anomaly (client_id, sim_id, detector_id, day DESC);
CALL protect_tenant_table('device_anomaly', 'SELECT');

-- What people said of anomalies. subject SIM (subject_id: sim_id) or CLIENT (subject_id: country). until: HARMLESS hides up to and with this day; null: for good.
CREATE TABLE anomaly_feedback (
  client_id int4 NOT NULL,
  feedback_id uuid NOT NULL,
  day date NOT NULL,
  detector_id text NOT NULL,
  subject text NOT NULL,
  subject_id text NOT NULL,
  verdict text NOT NULL,
  reason text,
  until date,
  given_at timestamptz NOT NULL,
  given_by text NOT NULL,
  CONSTRAINT anomaly_feedback_pk PRIMARY KEY (client_id, feedback_id),
  CONSTRAINT anomaly_feedback_key UNIQUE (client_id, detector_id, subject, subject_id, day),
  CONSTRAINT anomaly_feedback_verdict CHECK (verdict IN ('HARMFUL', 'HARMLESS', 'EXPECTED', 'DUPLICATE', 'UNSURE'))
);
CALL protect_tenant_table('anomaly_feedback', 'SELECT, INSERT, UPDATE');
