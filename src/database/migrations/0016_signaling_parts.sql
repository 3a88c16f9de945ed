-- What a chunk adds to the quarters of an hour becomes one row per client and day, with arrays: a row for each count cost a fifth of storing the dialogues.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- What was waiting as rows is added up here, as the worker would have done.
WITH merged AS (
  INSERT INTO signaling_quarter_hour AS kept (client_id, quarter, plmn, procedure, origin, outcome, protocol, dialogues)
  SELECT client_id, quarter, plmn, procedure, origin, outcome, protocol, sum(dialogues)::int8 FROM signaling_part
   GROUP BY client_id, quarter, plmn, procedure, origin, outcome, protocol
   ORDER BY client_id, quarter, plmn, procedure, origin, outcome, protocol
  ON CONFLICT (client_id, quarter, plmn, procedure, origin, outcome, protocol) DO UPDATE SET dialogues = kept.dialogues + EXCLUDED.dialogues
  RETURNING 1 AS written
) SELECT count(*) AS written FROM merged;
DROP TABLE signaling_part;

-- Keys: quarter of the day (0 to 95) * 256 + procedure (3 bits), origin (2), outcome (2) and protocol (1), each less 1. Networks and counts stand at the same
-- places; network 0: unknown. Like dialogues it has no key: it is only appended, and emptied as a whole.
CREATE TABLE signaling_part (
  client_id int4 NOT NULL,
  day date NOT NULL,
  keys int4[] NOT NULL,
  plmns int4[] NOT NULL,
  dialogues int4[] NOT NULL
) PARTITION BY RANGE (day);
-- Read once, so not worth compressing.
ALTER TABLE signaling_part ALTER COLUMN keys SET STORAGE EXTERNAL;
ALTER TABLE signaling_part ALTER COLUMN plmns SET STORAGE EXTERNAL;
ALTER TABLE signaling_part ALTER COLUMN dialogues SET STORAGE EXTERNAL;
CALL protect_tenant_table('signaling_part', '');
