-- Blocking and the outbox: whatever leaves the process is a row here first, in the transaction of its cause.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

CREATE TABLE block_request (
  client_id int4 NOT NULL,
  request_id uuid NOT NULL,
  operation text NOT NULL,
  mode text,
  reason text NOT NULL,
  state text NOT NULL,
  requested_by text NOT NULL,
  requested_person text NOT NULL,
  requested_at timestamptz NOT NULL,
  needs_second_person bool NOT NULL,
  second_person_reason text,
  decided_by text,
  decided_person text,
  decided_at timestamptz,
  restore_at timestamptz,
  incident_id uuid,
  alert_id uuid,
  impact jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT block_request_pk PRIMARY KEY (client_id, request_id),
  CONSTRAINT block_request_operation CHECK (operation IN ('BLOCK', 'UNBLOCK')),
  CONSTRAINT block_request_state CHECK (state IN ('REQUESTED', 'CONFIRMED', 'CANCELLED', 'COMPLETED', 'FAILED'))
);
CREATE INDEX block_request_page ON block_request (client_id, created_at DESC, request_id DESC);
CREATE INDEX block_request_decided ON block_request (client_id, decided_at) WHERE operation = 'BLOCK';
CALL protect_tenant_table('block_request', 'SELECT, INSERT, UPDATE');

-- One SIM's order within a request. error_code: from the error catalogue, or what the network answered (REFUSED, CONTRADICTED, GIVEN_UP).
CREATE TABLE block_request_sim (
  client_id int4 NOT NULL,
  request_id uuid NOT NULL,
  sim_id int8 NOT NULL,
  state text NOT NULL,
  error_code text,
  error text,
  carried_out_at timestamptz,
  verified_at timestamptz,
  CONSTRAINT block_request_sim_pk PRIMARY KEY (client_id, request_id, sim_id),
  CONSTRAINT block_request_sim_state CHECK (state IN ('REQUESTED', 'CONFIRMED', 'CARRIED_OUT', 'VERIFIED', 'FAILED', 'CANCELLED'))
);
CREATE INDEX block_request_sim_sim ON block_request_sim (client_id, sim_id, request_id);
CREATE INDEX block_request_sim_open ON block_request_sim (client_id, request_id) WHERE state IN ('REQUESTED', 'CONFIRMED', 'CARRIED_OUT');
CALL protect_tenant_table('block_request_sim', 'SELECT, INSERT, UPDATE');

-- One row per client: confirmations queue at its lock, so that two at once can't both count themselves below the hourly cap.
CREATE TABLE block_cap (
  client_id int4 NOT NULL,
  last_confirmed_at timestamptz NOT NULL,
  CONSTRAINT block_cap_pk PRIMARY KEY (client_id)
);
CALL protect_tenant_table('block_cap', 'SELECT, INSERT, UPDATE');

-- order_key: (connector, SIM) or (channel, incident); a failing head holds only its own key. message_id is what a receiver deduplicates by.
CREATE TABLE outbox (
  client_id int4 NOT NULL,
  message_id uuid NOT NULL,
  order_key text NOT NULL,
  sequence int8 NOT NULL,
  topic text NOT NULL,
  payload jsonb NOT NULL,
  state text NOT NULL DEFAULT 'PENDING',
  attempts int4 NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  claimed_by uuid,
  claimed_until timestamptz,
  last_error text,
  created_at timestamptz NOT NULL,
  finished_at timestamptz,
  CONSTRAINT outbox_pk PRIMARY KEY (client_id, message_id),
  CONSTRAINT outbox_order UNIQUE (client_id, order_key, sequence),
  CONSTRAINT outbox_state CHECK (state IN ('PENDING', 'SENT', 'CANCELLED', 'DEAD'))
);
CREATE INDEX outbox_due ON outbox (client_id, due_at) WHERE state = 'PENDING';
CREATE INDEX outbox_pending_key ON outbox (client_id, order_key, sequence) WHERE state = 'PENDING';
CALL protect_tenant_table('outbox', 'SELECT, INSERT, UPDATE');

-- The answer of a mutation that carried an idempotency key: the same key and request → the stored answer; another request → an error.
CREATE TABLE idempotency (
  client_id int4 NOT NULL,
  operation text NOT NULL,
  key text NOT NULL,
  request_hash bytea NOT NULL,
  result jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT idempotency_pk PRIMARY KEY (client_id, operation, key)
);
CALL protect_tenant_table('idempotency', 'SELECT, INSERT, UPDATE');
