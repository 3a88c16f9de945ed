/** What the slices to the right may use of alerts. */
import { AlertActions } from './alert-actions';
import { AlertEdges, FleetAlertEdge, SimAlertEdge } from './alert-edges';
import { AlertLive } from './alert-live';
import { AlertQueries } from './alert-queries';
import { Policies } from './policies';

export { Alert, AlertConnection, AlertSeverity } from './alert';
export { alertPage, findAlert } from './alert-queries';
export { attachIncident, type AlertChange } from './alert-change';
export { AlertWriter, type Edited } from './apply';
export { type AlertRecord } from './alert-record';
export { lockAlerts } from './alert-storage';
export { AlertFiringHistory } from './firing-history';
export { AlertState, isLive } from './lifecycle';
export { ResolveMovedSims } from './moved-sims';
export { takeAction } from './operator-actions';
export { AlertChangeListener } from './ports';
export { AlertRaiser } from './raise';
export { isWorse, worst } from './severity';

export const alertResolvers = [AlertQueries, AlertEdges, SimAlertEdge, FleetAlertEdge, AlertActions, AlertLive, Policies] as const;
