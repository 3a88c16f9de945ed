/** Registers SIMs: the directory first, then each client by itself; any of it can be repeated, also after a kill in between. */
import { singleton } from 'tsyringe';
import { recordAudit } from '../access/audit';
import { Database, type Transaction } from '../database/database';
import { SimwardenError } from '../errors';
import { isOperator, Role, type Caller } from '../graphql/caller';
import { Clock, Entropy } from '../runtime';
import { SettingChangeListener, SimRegistrationListener } from './ports';
import { claimSims, ClaimLost, type Claims, type ClaimedSim } from './registration-claims';
import { gatherRows, type SimRow, type WantedSim } from './registration-rows';
import { storeSims, type StoredSims } from './registration-store';

export interface RegistrationOutcome {
  readonly line: number;
  readonly status: 'REGISTERED' | 'UPDATED' | 'UNCHANGED' | 'REJECTED';
  readonly simId?: string;
  readonly clientId?: number;
  readonly error?: SimwardenError;
}

/** Runs work in a transaction of its own under the operator's role; a resolver passes its context's `write`, since an operation holds one session. */
export type Write = <T>(name: string, clientId: number, work: (tx: Transaction) => Promise<T>) => Promise<T>;

/** How often a claim lost to a concurrent registration is tried again; each loss means that another one went ahead. */
const CLAIM_ATTEMPTS = 10;

@singleton()
export class SimRegistry {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly entropy: Entropy,
    private readonly registrations: SimRegistrationListener,
    private readonly settings: SettingChangeListener,
  ) {}

  /** Registers or updates SIMs, for operators only; answers one outcome per row, in the rows' order. */
  async register(rows: readonly SimRow[], by: Caller, write: Write = this.writeAsOperator): Promise<RegistrationOutcome[]> {
    if (!isOperator(by)) throw new SimwardenError('FORBIDDEN', { role: by.role, field: 'registerSims', allowed: Role.OPERATOR });
    const outcomes = new Map<number, RegistrationOutcome>();
    const reject = (line: number, error: SimwardenError) => outcomes.set(line, { line, status: 'REJECTED', error });
    const wanted = gatherRows(rows, reject);
    const { claimed, rejected } = await this.claim(wanted, write);
    for (const { wanted: sim, error } of rejected) sim.lines.forEach((line) => reject(line, error));
    for (const sims of groupByClient(claimed)) {
      const stored = await this.store(sims, by, write);
      for (const sim of sims) this.report(sim, stored, outcomes, reject);
    }
    await this.announce(claimed, outcomes);
    return rows.map((row) => outcomes.get(row.line)!);
  }

  private readonly writeAsOperator: Write = (name, clientId, work) => this.database.transaction({ name, role: 'operator', clientId }, work);

  private async claim(wanted: readonly WantedSim[], write: Write): Promise<Claims> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write('fleet.claim', 0, (tx) => claimSims(tx, wanted, this.clock.now()));
      } catch (error) {
        if (!(error instanceof ClaimLost) || attempt === CLAIM_ATTEMPTS) throw error;
      }
    }
  }

  private store(sims: readonly ClaimedSim[], by: Caller, write: Write): Promise<StoredSims> {
    const { clientId, wanted } = sims[0]!;
    return write('fleet.register', clientId, async (tx) => {
      const stored = await storeSims(tx, { clock: this.clock, entropy: this.entropy, name: by.name }, clientId, wanted.client, sims);
      if (stored.settingsChanged.length > 0) await this.settings.settingsChanged(tx, clientId, stored.settingsChanged);
      if (stored.registered.size + stored.updated.size > 0) {
        await recordAudit(
          tx,
          { caller: by, clock: this.clock, entropy: this.entropy },
          {
            clientId,
            action: 'registerSims',
            subject: `Client:${clientId}`,
            detail: { registered: stored.registered.size, updated: stored.updated.size },
          },
        );
      }
      return stored;
    });
  }

  private report(
    sim: ClaimedSim,
    stored: StoredSims,
    outcomes: Map<number, RegistrationOutcome>,
    reject: (line: number, error: SimwardenError) => void,
  ): void {
    const { clientId, simId, wanted } = sim;
    const refusal = stored.refused.get(simId);
    if (refusal) {
      wanted.lines.forEach((line) => reject(line, refusal));
      return;
    }
    const status = stored.registered.has(simId) ? 'REGISTERED' : stored.updated.has(simId) ? 'UPDATED' : 'UNCHANGED';
    wanted.lines.forEach((line, i) =>
      outcomes.set(line, { line, status: i === 0 || status === 'UNCHANGED' ? status : 'UPDATED', simId, clientId }),
    );
  }

  private async announce(claimed: readonly ClaimedSim[], outcomes: ReadonlyMap<number, RegistrationOutcome>): Promise<void> {
    const known = claimed.filter((sim) => outcomes.get(sim.wanted.lines[0]!)?.status !== 'REJECTED');
    if (known.length === 0) return;
    await this.registrations.simsRegistered(known.map(({ clientId, simId, wanted }) => ({ clientId, simId, iccid: wanted.key })));
  }
}

function groupByClient(sims: readonly ClaimedSim[]): ClaimedSim[][] {
  const groups = new Map<number, ClaimedSim[]>();
  for (const sim of sims) {
    const group = groups.get(sim.clientId);
    if (group) group.push(sim);
    else groups.set(sim.clientId, [sim]);
  }
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
}
