-- Daily signaling features of each SIM, their 30-day sums, and which days they were computed for.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- feature_values: 95 float32, little-endian, in the order of src/detector/features.ts; NaN where undefined. country: ISO 3166-1 alpha-2 where most of
-- the day's dialogues were, ZZ where that is no country or not known. dialogues: without exact repeats.
CREATE TABLE sim_feature_day (
  client_id int4 NOT NULL,
  day date NOT NULL,
  sim_id int8 NOT NULL,
  country char(2) NOT NULL,
  dialogues int4 NOT NULL,
  blocked_by_us boolean NOT NULL,
  feature_values bytea NOT NULL,
  computed_at timestamptz NOT NULL,
  CONSTRAINT sim_feature_day_pk PRIMARY KEY (client_id, day, sim_id)
) PARTITION BY RANGE (day);
-- 380 bytes of numbers, read whole: neither compressed nor moved out of the row.
ALTER TABLE sim_feature_day ALTER COLUMN feature_values SET STORAGE PLAIN;
CALL protect_tenant_table('sim_feature_day', 'SELECT');

-- Sums of the clustering features over the SIM's rows from from_day on: count of days, then per feature the sum and the sum of squares of whole numbers,
-- as float64 little-endian (src/detection/features/feature-month.ts). Whole numbers, so that adding and subtracting leaves no trace.
CREATE TABLE sim_feature_month (
  client_id int4 NOT NULL,
  sim_id int8 NOT NULL,
  from_day date NOT NULL,
  days int4 NOT NULL,
  sums bytea NOT NULL,
  CONSTRAINT sim_feature_month_pk PRIMARY KEY (client_id, sim_id)
);
ALTER TABLE sim_feature_month ALTER COLUMN sums SET STORAGE PLAIN;
CALL protect_tenant_table('sim_feature_month', 'SELECT');

-- A day whose features are stored whole; changes: the state of signaling_day that they were computed from.
CREATE TABLE feature_day (
  client_id int4 NOT NULL,
  day date NOT NULL,
  changes int8 NOT NULL,
  sims int8 NOT NULL,
  dialogues int8 NOT NULL,
  computed_at timestamptz NOT NULL,
  CONSTRAINT feature_day_pk PRIMARY KEY (client_id, day)
);
CALL protect_tenant_table('feature_day', 'SELECT');
