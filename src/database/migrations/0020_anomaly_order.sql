-- A page of decisions shows the anomalous first, then those that are normal, and last those with too few devices to say.
SET LOCAL citus.multi_shard_modify_mode = 'sequential';

DROP INDEX client_anomaly_page;
CREATE INDEX client_anomaly_page ON client_anomaly
  (day, detector_id, array_position(ARRAY['ABSTAINED', 'NORMAL', 'ANOMALOUS'], verdict) DESC, z_score DESC, client_id DESC, country DESC);
