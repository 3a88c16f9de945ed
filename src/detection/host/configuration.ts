/** How each SIM's detectors are configured: the most specific row wins whole (SIM, fleet, client, then the operator's default for all). */
import type { Transaction } from '../../database/database';
import type { Detector } from '../../detector';
import { effectiveOptions, type EffectiveOptions } from './host-options';
import type { ConfigurationScope, DetectorMode } from './modes';

export interface ConfigurationRow {
  readonly client_id: number;
  readonly detector_id: string;
  readonly scope: `${ConfigurationScope}`;
  /** SIM: sim_id; FLEET: fleet_id; CLIENT: ''. */
  readonly scope_id: string;
  readonly mode: `${DetectorMode}`;
  readonly options: Record<string, unknown>;
  readonly updated_at: Date;
  readonly updated_by: string;
}

/** Client 0's rows hold for every client that has none of its own. */
export const OPERATOR = 0;

export const CONFIGURATION_COLUMNS = 'client_id, detector_id, scope, scope_id, mode, options, updated_at, updated_by';

export async function readConfiguration(tx: Transaction, clientId: number, simIds: readonly string[]): Promise<DetectorConfiguration> {
  const own = await tx.query<ConfigurationRow>(
    `SELECT ${CONFIGURATION_COLUMNS} FROM detector_configuration WHERE client_id = $1 AND (scope <> 'SIM' OR scope_id = ANY($2::text[]))`,
    [clientId, simIds],
  );
  const operator = await tx.query<ConfigurationRow>(
    `SELECT ${CONFIGURATION_COLUMNS} FROM detector_configuration WHERE client_id = $1 AND scope = 'CLIENT'`,
    [OPERATOR],
  );
  return new DetectorConfiguration(clientId, [...own, ...operator]);
}

export interface ConfiguredSim {
  readonly simId: string;
  readonly fleetId: string | null;
}

/** Rows that are configured alike. */
export interface ConfiguredGroup {
  readonly mode: 'ENABLED' | 'SHADOW';
  readonly options: EffectiveOptions;
  readonly rows: Int32Array;
}

export class DetectorConfiguration {
  private readonly rows = new Map<string, ConfigurationRow>();

  constructor(
    private readonly clientId: number,
    rows: readonly ConfigurationRow[],
  ) {
    for (const row of rows) this.rows.set(key(row.client_id, row.detector_id, row.scope, row.scope === 'CLIENT' ? '' : row.scope_id), row);
  }

  /** The row that decides for a SIM; undefined: nobody configured the detector. */
  rowFor(detectorId: string, sim: ConfiguredSim): ConfigurationRow | undefined {
    return (
      this.rows.get(key(this.clientId, detectorId, 'SIM', sim.simId)) ??
      (sim.fleetId === null ? undefined : this.rows.get(key(this.clientId, detectorId, 'FLEET', sim.fleetId))) ??
      this.clientRow(detectorId)
    );
  }

  /** The row that decides for SIMs without one of their own or their fleet's. */
  clientRow(detectorId: string): ConfigurationRow | undefined {
    return this.rows.get(key(this.clientId, detectorId, 'CLIENT', '')) ?? this.rows.get(key(OPERATOR, detectorId, 'CLIENT', ''));
  }

  /** When the detector was last configured for this client, at any scope; null where never. */
  lastConfigured(detectorId: string): Date | null {
    const times = [...this.rows.values()].filter((row) => row.detector_id === detectorId).map((row) => row.updated_at.getTime());
    return times.length === 0 ? null : new Date(Math.max(...times));
  }

  /**
   * The rows that the detector runs on, parted by configuration; `unconfigured`: how it runs where nobody configured it. Throws where stored options
   * no longer fit the detector.
   */
  groups(
    detector: Detector,
    sims: readonly ConfiguredSim[],
    simOfRow: Int32Array,
    unconfigured: ConfiguredGroup['mode'],
  ): ConfiguredGroup[] {
    return this.parted(detector, sims, simOfRow, (configured) => configured ?? unconfigured);
  }

  /** All rows with the options that they would be judged by, as if the detector were enabled for each. */
  groupsOfTrial(detector: Detector, sims: readonly ConfiguredSim[], simOfRow: Int32Array): ConfiguredGroup[] {
    return this.parted(detector, sims, simOfRow, () => 'ENABLED');
  }

  private parted(
    detector: Detector,
    sims: readonly ConfiguredSim[],
    simOfRow: Int32Array,
    modeOf: (configured: ConfigurationRow['mode'] | undefined) => ConfigurationRow['mode'],
  ): ConfiguredGroup[] {
    const decidingRow = sims.map((sim) => this.rowFor(detector.meta.id, sim));
    const members = new Map<ConfigurationRow | undefined, number[]>();
    simOfRow.forEach((sim, row) => {
      const group = members.get(decidingRow[sim]);
      if (group) group.push(row);
      else members.set(decidingRow[sim], [row]);
    });
    const groups: ConfiguredGroup[] = [];
    for (const [decides, rows] of members) {
      const mode = modeOf(decides?.mode);
      if (mode === 'DISABLED') continue;
      const answer = effectiveOptions(detector, decides?.options);
      if ('errors' in answer) throw new Error(`the stored options are not valid: ${answer.errors.join('; ')}`);
      groups.push({ mode, options: answer.options, rows: Int32Array.from(rows) });
    }
    return groups;
  }
}

function key(clientId: number, detectorId: string, scope: string, scopeId: string): string {
  return `${clientId} ${detectorId} ${scope} ${scopeId}`;
}
