-- Back-tests: a detector tried on a client's past days, with what it would have raised beside it; nothing else of them is stored.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- scope_id: '' of CLIENT, else fleet_id or sim_id. options: as given; null: as each SIM is configured. at_day, after_sim: the page to go on with;
-- null at_day: none was judged yet. kinds: counts per kind, as of the last day that was done.
CREATE TABLE backtest (
  client_id int4 NOT NULL,
  backtest_id uuid NOT NULL,
  detector_id text NOT NULL,
  detector_version text NOT NULL,
  scope text NOT NULL,
  scope_id text NOT NULL,
  from_day date NOT NULL,
  to_day date NOT NULL,
  options jsonb,
  state text NOT NULL,
  at_day date,
  after_sim int8 NOT NULL DEFAULT 0,
  days_done int4 NOT NULL DEFAULT 0,
  days_total int4 NOT NULL,
  failed_days int4 NOT NULL DEFAULT 0, -- in a row, up to the last day that was done
  sim_days int8 NOT NULL DEFAULT 0,
  rows_judged int8 NOT NULL DEFAULT 0,
  rows_abstained int8 NOT NULL DEFAULT 0,
  findings int4 NOT NULL DEFAULT 0,
  kinds jsonb NOT NULL DEFAULT '[]',
  warnings jsonb NOT NULL DEFAULT '[]',
  error text,
  attempts int4 NOT NULL DEFAULT 0, -- that failed; a kill is none
  requested_by text NOT NULL,
  sequence int4 NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  heartbeat_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT backtest_pk PRIMARY KEY (client_id, backtest_id),
  CONSTRAINT backtest_scope CHECK (scope IN ('CLIENT', 'FLEET', 'SIM')),
  CONSTRAINT backtest_state CHECK (state IN ('WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'))
);
CREATE INDEX backtest_page ON backtest (client_id, created_at DESC, backtest_id DESC);
CREATE INDEX backtest_open ON backtest (client_id, state) WHERE state IN ('WAITING', 'RUNNING');
CALL protect_tenant_table('backtest', 'SELECT, INSERT, UPDATE');

-- What was judged of a day. error: of the first page that failed.
CREATE TABLE backtest_day (
  client_id int4 NOT NULL,
  backtest_id uuid NOT NULL,
  day date NOT NULL,
  sim_days int4 NOT NULL,
  rows_judged int8 NOT NULL,
  rows_abstained int8 NOT NULL,
  findings int4 NOT NULL,
  failed_pages int4 NOT NULL,
  error text,
  CONSTRAINT backtest_day_pk PRIMARY KEY (client_id, backtest_id, day)
);
CALL protect_tenant_table('backtest_day', 'SELECT');

-- One subject, one window, one kind that fires. day: the first that it fired on. evidence: of the first of each day, else empty.
CREATE TABLE backtest_finding (
  client_id int4 NOT NULL,
  backtest_id uuid NOT NULL,
  kind text NOT NULL,
  window_start timestamptz NOT NULL,
  subject_id text NOT NULL,
  subject text NOT NULL,
  window_end timestamptz NOT NULL,
  day date NOT NULL,
  sim_id int8,
  fleet_id uuid,
  severity text NOT NULL,
  score float8 NOT NULL,
  evidence jsonb NOT NULL,
  CONSTRAINT backtest_finding_pk PRIMARY KEY (client_id, backtest_id, kind, window_start, subject_id)
);
CREATE INDEX backtest_finding_page ON backtest_finding (client_id, backtest_id, day DESC, score DESC, kind DESC, subject_id DESC);
CALL protect_tenant_table('backtest_finding', 'SELECT');
