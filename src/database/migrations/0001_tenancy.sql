-- The three database roles that every query runs under, and the functions that row-level security stands on.
-- Roles belong to the whole cluster, so several databases (and several processes) may create them at once.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

DO $$
DECLARE role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['simwarden_tenant', 'simwarden_operator', 'simwarden_ingest'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = role_name) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT', role_name);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    BEGIN
      IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
        EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END $$;

-- The client that the current transaction speaks for; NULL (and so no row at all) where none was set.
CREATE FUNCTION current_client() RETURNS int4 LANGUAGE sql STABLE
  AS $$ SELECT nullif(current_setting('simwarden.client_id', true), '')::int4 $$;

-- SET LOCAL inside plpgsql, because set_config() never reaches the workers of a distributed database.
CREATE FUNCTION set_client(client int4) RETURNS void LANGUAGE plpgsql
  AS $$ BEGIN EXECUTE format('SET LOCAL simwarden.client_id = %L', client); END $$;

-- Puts a tenant table behind forced row-level security: one policy per role, never an OR inside one policy.
-- tenant_privileges: what a customer's own session may do to its own rows ('' = it can't see the table).
CREATE PROCEDURE protect_tenant_table(target regclass, tenant_privileges text)
  LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY tenant_rows ON %s TO simwarden_tenant USING (client_id = current_client()) WITH CHECK (client_id = current_client())', target);
  EXECUTE format('CREATE POLICY operator_rows ON %s TO simwarden_operator USING (true) WITH CHECK (true)', target);
  EXECUTE format('CREATE POLICY ingest_rows ON %s TO simwarden_ingest USING (true) WITH CHECK (true)', target);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO simwarden_operator, simwarden_ingest', target);
  IF tenant_privileges <> '' THEN
    EXECUTE format('GRANT %s ON %s TO simwarden_tenant', tenant_privileges, target);
  END IF;
END $$;

-- Mutual exclusion between processes: a job is whoever holds its row (advisory locks never wait in one embedded session).
CREATE TABLE lease (
  name text NOT NULL,
  holder uuid,
  held_until timestamptz NOT NULL,
  CONSTRAINT lease_pk PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON lease TO simwarden_operator, simwarden_ingest;
