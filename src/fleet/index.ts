/** What the slices to the right may use of the fleet. */
import { ApiKeyClientResolver, AuditClientResolver, ClientResolver, ViewerClientResolver } from './client-resolver';
import { DeviceResolver } from './device-resolver';
import { ClientFleetResolver, FleetResolver } from './fleet-resolver';
import { RegisterSimsResolver } from './register-sims-resolver';
import { SimChangeResolver } from './sim-change-resolver';
import { SimResolver } from './sim-resolver';

export * from './identifiers';
export * from './ports';
export * from './states';
export { Client, clientLoader, findClient } from './client';
export { batchByClient, loaderKey } from './client-batch';
export { imsiVersion, lookup, ownerAt, type DirectoryEntry } from './directory';
export { findFleet, Fleet, fleetLoader } from './fleet';
export { SimRegistry, type RegistrationOutcome, type Write } from './registration';
export { type SimRow } from './registration-rows';
export { findSim, Sim, simLoader } from './sim';
export { OrderDirection } from './sim-list';

export const fleetResolvers = [
  ClientResolver,
  ClientFleetResolver,
  FleetResolver,
  SimResolver,
  SimChangeResolver,
  RegisterSimsResolver,
  DeviceResolver,
  ViewerClientResolver,
  ApiKeyClientResolver,
  AuditClientResolver,
] as const;
