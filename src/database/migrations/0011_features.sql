-- The daily signaling features of each SIM.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

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
CALL protect_tenant_table('sim_feature_day', 'SELECT');
