-- 30-day sums in pages of neighbouring SIMs: a day moves on every SIM's, and a row for each costs far more than its bytes.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- page: SIM id / 256, rounded down; from_day: the sums are over the SIMs' rows from that day on. sums: per SIM with signaling its place in the page, its
-- days with signaling, then per clustering feature the sum and the sum of squares of whole numbers, as float64 little-endian
-- (src/detection/features/feature-month.ts). A page that is missing is added up from the rows.
CREATE TABLE sim_feature_sums (
  client_id int4 NOT NULL,
  page int8 NOT NULL,
  from_day date NOT NULL,
  sums bytea NOT NULL,
  CONSTRAINT sim_feature_sums_pk PRIMARY KEY (client_id, page)
);
-- written whole and soon again: compressing them costs more than it saves
ALTER TABLE sim_feature_sums ALTER COLUMN sums SET STORAGE EXTERNAL;
CALL protect_tenant_table('sim_feature_sums', 'SELECT');

DROP TABLE sim_feature_month;
