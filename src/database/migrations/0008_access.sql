-- Who may call, and what they did.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

-- sha256 of the key; the key itself is shown once. Found through directory kind API_KEY (value = hex of the hash).
-- owner: the person answerable for the key; two keys of one owner are one person when a second person must confirm.
CREATE TABLE api_key (
  client_id int4 NOT NULL,
  key_id uuid NOT NULL,
  prefix text NOT NULL,
  sha256 bytea NOT NULL,
  role text NOT NULL,
  name text NOT NULL,
  owner text NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  CONSTRAINT api_key_pk PRIMARY KEY (client_id, key_id),
  CONSTRAINT api_key_role CHECK (role IN ('OPERATOR', 'CLIENT_ADMIN', 'CLIENT_OPERATOR', 'CLIENT_VIEWER', 'INGEST', 'EMBED'))
);
CREATE UNIQUE INDEX api_key_sha256 ON api_key (client_id, sha256);
CREATE INDEX api_key_page ON api_key (client_id, created_at DESC, key_id DESC);
-- Every process looks for what was revoked lately, in all clients, to close its sockets.
CREATE INDEX api_key_revoked ON api_key (revoked_at) WHERE revoked_at IS NOT NULL;
CALL protect_tenant_table('api_key', 'SELECT, INSERT, UPDATE');

-- Written in the transaction of the change it records; never updated, never deleted.
CREATE TABLE audit_log (
  client_id int4 NOT NULL,
  audit_id uuid NOT NULL,
  at timestamptz NOT NULL,
  principal text NOT NULL,
  person text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail jsonb NOT NULL,
  CONSTRAINT audit_log_pk PRIMARY KEY (client_id, audit_id)
);
CREATE INDEX audit_log_page ON audit_log (client_id, at DESC, audit_id DESC);
-- The operator's pages over all clients.
CREATE INDEX audit_log_operator_page ON audit_log (at DESC, audit_id DESC);
CALL protect_tenant_table('audit_log', 'SELECT, INSERT');
REVOKE UPDATE, DELETE ON audit_log FROM simwarden_operator, simwarden_ingest;
