/** What the slices to the right may use of incidents. */
import { IncidentActions } from './incident-actions';
import { AlertIncidentEdge, IncidentEdges, SimIncidentEdge } from './incident-edges';
import { IncidentLive } from './incident-live';
import { IncidentQueries } from './incident-queries';

export { Correlator } from './correlate';

export const incidentResolvers = [
  IncidentQueries,
  IncidentEdges,
  AlertIncidentEdge,
  SimIncidentEdge,
  IncidentActions,
  IncidentLive,
] as const;
