/** Who may use which root field: the one permission matrix. A test fails when a root field has no row here. */
import { Role } from '../graphql/caller';

const { OPERATOR, CLIENT_ADMIN, CLIENT_OPERATOR, CLIENT_VIEWER, INGEST, EMBED } = Role;

const everyone = [OPERATOR, CLIENT_ADMIN, CLIENT_OPERATOR, CLIENT_VIEWER, INGEST, EMBED];
const readers = [OPERATOR, CLIENT_ADMIN, CLIENT_OPERATOR, CLIENT_VIEWER, EMBED];
const staff = [OPERATOR, CLIENT_ADMIN, CLIENT_OPERATOR, CLIENT_VIEWER];
const handlers = [OPERATOR, CLIENT_ADMIN, CLIENT_OPERATOR];
const admins = [OPERATOR, CLIENT_ADMIN];
const operators = [OPERATOR];
const ingesters = [OPERATOR, CLIENT_ADMIN, INGEST];

export const permissions: Readonly<Record<string, readonly Role[]>> = {
  'Query.viewer': everyone,
  'Query.node': readers,
  'Query.client': staff,
  'Query.clients': staff,
  'Query.fleet': readers,
  'Query.fleets': readers,
  'Query.sim': readers,
  'Query.simByIccid': readers,
  'Query.simByImsi': staff,
  'Query.sims': readers,
  'Query.device': readers,
  'Query.devices': readers,
  'Query.dialogues': readers,
  'Query.connectionEvents': readers,
  'Query.deviceEvents': readers,
  'Query.usageByTime': readers,
  'Query.usageBySim': readers,
  'Query.topConsumers': readers,
  'Query.usageRecords': readers,
  'Query.baselines': readers,
  'Query.simFeatures': readers,
  'Query.featureCatalogue': readers,
  'Query.signalingMatrix': readers,
  'Query.policies': staff,
  'Query.alert': readers,
  'Query.alerts': readers,
  'Query.incident': readers,
  'Query.incidents': readers,
  'Query.detector': staff,
  'Query.detectors': staff,
  'Query.detectionRun': staff,
  'Query.detectionRuns': staff,
  'Query.populationRun': operators,
  'Query.populationRuns': operators,
  'Query.clusters': staff,
  'Query.anomalies': staff,
  'Query.clientAnomalies': staff,
  'Query.blockRequest': staff,
  'Query.blockRequests': staff,
  'Query.quarantine': [...staff, INGEST],
  'Query.sourceWatermarks': [...staff, INGEST],
  'Query.apiKeys': admins,
  'Query.auditLog': admins,

  'Mutation.createClient': operators,
  'Mutation.updateClient': operators,
  'Mutation.createFleet': admins,
  'Mutation.updateFleet': admins,
  'Mutation.registerSims': operators,
  'Mutation.updateSim': admins,
  'Mutation.bindImei': admins,
  'Mutation.unbindImei': admins,
  'Mutation.moveSim': operators,
  'Mutation.requeueQuarantine': ingesters,
  'Mutation.ingestUsage': ingesters,
  'Mutation.ingestDialogues': ingesters,
  'Mutation.ingestConnectionEvents': ingesters,
  'Mutation.ingestDeviceEvents': ingesters,
  'Mutation.setThreshold': admins,
  'Mutation.deleteThreshold': admins,
  'Mutation.configureDetector': admins,
  'Mutation.runDetection': operators,
  'Mutation.backtestDetector': operators,
  'Mutation.fitModels': operators,
  'Mutation.recordFeedback': handlers,
  'Mutation.acknowledgeAlerts': handlers,
  'Mutation.resolveAlerts': handlers,
  'Mutation.dismissAlerts': handlers,
  'Mutation.openIncident': handlers,
  'Mutation.updateIncident': handlers,
  'Mutation.addIncidentNote': handlers,
  'Mutation.setRootCause': handlers,
  'Mutation.mergeIncidents': handlers,
  'Mutation.closeIncident': handlers,
  'Mutation.requestBlock': handlers,
  'Mutation.confirmBlock': handlers,
  'Mutation.cancelBlock': handlers,
  'Mutation.unblockSim': handlers,
  'Mutation.createApiKey': admins,
  'Mutation.revokeApiKey': admins,

  'Subscription.alertChanged': readers,
  'Subscription.incidentChanged': readers,
  'Subscription.simBlockStateChanged': readers,
  'Subscription.detectionRunProgress': operators,
};

/** Roles that may POST /ingest/{kind}. Only operators register SIMs, since uniqueness errors reveal other clients. */
export const ingestPermissions: Readonly<Record<string, readonly Role[]>> = {
  sims: operators,
  usage: ingesters,
  dialogues: ingesters,
  'connection-events': ingesters,
  'device-events': ingesters,
};
