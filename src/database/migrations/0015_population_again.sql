-- A day whose features changed after it was judged is judged again.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- Sum over all clients of feature_day.changes of to_day, when the run last looked; it only rises. null: a run of several days, or from before this column.
ALTER TABLE population_run ADD COLUMN saw_changes int8;
