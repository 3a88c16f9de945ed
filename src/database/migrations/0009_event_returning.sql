-- INSERT … SELECT answers its rows (RETURNING), for which PostgreSQL asks the right to read them; customers see their own only.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

GRANT SELECT ON event_pending TO simwarden_tenant;
