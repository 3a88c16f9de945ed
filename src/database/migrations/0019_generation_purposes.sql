-- What a generation of models was made for, and how far a fit is: a back-test's models are its own, and a fit shows its progress.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- BACKTEST: no other run takes it, and it goes with its run.
ALTER TABLE population_generation ADD COLUMN purpose text NOT NULL DEFAULT 'DAILY';
ALTER TABLE population_generation ADD CONSTRAINT population_generation_purpose CHECK (purpose IN ('DAILY', 'BACKTEST'));

-- The last day of training, for tenants, who may not read generations; null: of one that was forgotten before.
ALTER TABLE population_cluster ADD COLUMN to_day date;
UPDATE population_cluster cluster SET to_day = generation.to_day FROM population_generation generation
 WHERE generation.client_id = cluster.client_id AND generation.generation = cluster.generation;

-- Models of the fit; 0 until it is known how many.
ALTER TABLE population_run ADD COLUMN models_done int4 NOT NULL DEFAULT 0;
ALTER TABLE population_run ADD COLUMN models_total int4 NOT NULL DEFAULT 0;
