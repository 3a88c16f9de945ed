-- Services of visited countries, hour by hour, as critical-service judges them; and alerts about a country.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

ALTER TABLE alert DROP CONSTRAINT alert_subject;
ALTER TABLE alert ADD CONSTRAINT alert_subject CHECK (subject IN ('SIM', 'FLEET', 'CLIENT', 'NETWORK', 'COUNTRY', 'DETECTOR'));

-- One row per hour that is over; client 0 with country '' stands for the platform. counted: dialogues behind the row when it was made, so that late ones show.
-- sims_*: NULL where too little failed to be worth counting device by device, and for MAP.
CREATE TABLE service_hour (
  client_id int4 NOT NULL,
  hour timestamptz NOT NULL,
  country text NOT NULL,
  service text NOT NULL,
  counted int8 NOT NULL,
  dialogues int8 NOT NULL,
  successes int8 NOT NULL,
  sims_tried int4,
  sims_failed int4,
  sims_provisioned int4,
  CONSTRAINT service_hour_pk PRIMARY KEY (client_id, hour, country, service),
  CONSTRAINT service_hour_service CHECK (service IN ('VOICE_SMS', 'DATA', 'MAP'))
);
CREATE INDEX service_hour_page ON service_hour (hour);
CALL protect_tenant_table('service_hour', 'SELECT');

-- How far a client's day was judged: hours that were over, and the day's count of changes (signaling_day), when it was.
CREATE TABLE service_day (
  client_id int4 NOT NULL,
  day date NOT NULL,
  hours_over int4 NOT NULL,
  changes int8 NOT NULL,
  CONSTRAINT service_day_pk PRIMARY KEY (client_id, day)
);
CALL protect_tenant_table('service_day', '');

-- Which state of the day's features the detectors of single SIMs judged.
ALTER TABLE feature_day ADD COLUMN judged_changes int8;
