/** A client with a fleet of SIMs, a network in memory and an outbox worker, for the tests of blocking. */
import type { Transaction } from '../../../src/database/database';
import { BlockMode } from '../../../src/fleet';
import { blockHandlers } from '../../../src/response/block-handlers';
import { confirmBlock } from '../../../src/response/confirm-block';
import { OutboxWorker, type OutboxWorkerOptions } from '../../../src/response/outbox-worker';
import { requestBlock, type BlockOrder } from '../../../src/response/request-block';
import { SimulatedConnector, type SimulatedBehaviour } from '../../../src/response/simulated-connector';
import type { NetworkConnector } from '../../../src/response/connector';
import { ManualClock, SystemEntropy } from '../../../src/runtime';
import { openTestDatabase, testLog, type TestDatabase } from '../../support/database';

export const START = new Date('2026-11-02T10:00:00Z');

export interface ClientSettings {
  readonly sims: number;
  readonly fleets?: number;
  readonly percentPerHour?: number;
  readonly secondPersonAbove?: number;
  /** Ordinals of SIMs in critical devices. */
  readonly critical?: readonly number[];
}

export interface Customer {
  readonly clientId: number;
  readonly fleetIds: readonly string[];
  readonly simIds: readonly string[];
}

let nextClient = 1;

export class World {
  readonly clock = new ManualClock(START);
  readonly entropy = new SystemEntropy();

  private constructor(readonly storage: TestDatabase) {}

  static async open(): Promise<World> {
    return new World(await openTestDatabase());
  }

  close(): Promise<void> {
    return this.storage.close();
  }

  write<T>(clientId: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.storage.database.transaction({ name: 'test.write', role: 'tenant', clientId }, work);
  }

  query<Row extends object>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    return this.storage.database.transaction({ name: 'test.query', role: 'operator' }, (transaction) =>
      transaction.query<Row>(sql, parameters),
    );
  }

  async customer({ sims, fleets = 1, percentPerHour = 100, secondPersonAbove = 1_000, critical = [] }: ClientSettings): Promise<Customer> {
    const clientId = nextClient++;
    const fleetIds = Array.from({ length: fleets }, () => this.entropy.uuid());
    const simIds = Array.from({ length: sims }, (_, i) => String(clientId * 100_000 + i));
    await this.storage.database.transaction({ name: 'test.customer', role: 'operator', clientId }, async (transaction) => {
      await transaction.query(
        `INSERT INTO client (client_id, name, max_block_percent_per_hour, second_person_above, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
        [clientId, `client ${clientId}`, percentPerHour, secondPersonAbove, START],
      );
      for (const fleetId of fleetIds) {
        await transaction.query('INSERT INTO fleet (client_id, fleet_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)', [
          clientId,
          fleetId,
          fleetId,
          START,
        ]);
      }
      for (const [i, simId] of simIds.entries()) {
        await transaction.query(
          'INSERT INTO sim (client_id, sim_id, iccid, imsi, fleet_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)',
          [clientId, simId, `8988${simId.padStart(15, '0')}`, `21407${simId.padStart(10, '0')}`, fleetIds[i % fleets], START],
        );
        await transaction.query(
          `INSERT INTO device (client_id, device_id, sim_id, family, criticality, created_at, updated_at) VALUES ($1, $2, $3, 'meter', $4, $5, $5)`,
          [clientId, this.entropy.uuid(), simId, critical.includes(i) ? 'CRITICAL' : 'NORMAL', START],
        );
      }
    });
    return { clientId, fleetIds, simIds };
  }

  person(name: string): { caller: { name: string; person: string }; clock: ManualClock; entropy: SystemEntropy } {
    return { caller: { name: `key of ${name}`, person: name }, clock: this.clock, entropy: this.entropy };
  }

  request(customer: Customer, simIds: readonly string[], more: Partial<BlockOrder> = {}, person = 'ana'): ReturnType<typeof requestBlock> {
    return this.write(customer.clientId, (transaction) =>
      requestBlock(transaction, this.person(person), {
        clientId: customer.clientId,
        simIds,
        mode: BlockMode.PERMANENT_REJECT,
        reason: 'streams video',
        incidentId: null,
        alertId: null,
        restoreAt: null,
        dryRun: false,
        requestedByDetector: false,
        ...more,
      }),
    );
  }

  confirm(customer: Customer, requestId: string, person = 'ana'): ReturnType<typeof confirmBlock> {
    return this.write(customer.clientId, (transaction) => confirmBlock(transaction, this.person(person), customer.clientId, requestId));
  }

  /** Requests and confirms; answers the request's id. */
  async ordered(customer: Customer, simIds: readonly string[], more: Partial<BlockOrder> = {}): Promise<string> {
    const { requestId } = await this.request(customer, simIds, more);
    await this.confirm(customer, requestId!);
    return requestId!;
  }

  worker(connector: NetworkConnector, options: Partial<OutboxWorkerOptions> = {}): OutboxWorker {
    const parts = { database: this.storage.database, clock: this.clock, entropy: this.entropy, connector };
    return new OutboxWorker({ ...parts, log: testLog, handlers: blockHandlers(parts), ...options });
  }

  network(behaviour: SimulatedBehaviour = {}): SimulatedConnector {
    return new SimulatedConnector(behaviour);
  }

  async stateOf(customer: Customer, simId: string): Promise<string> {
    const [sim] = await this.query<{ block_state: string }>('SELECT block_state FROM sim WHERE client_id = $1 AND sim_id = $2', [
      customer.clientId,
      simId,
    ]);
    return sim!.block_state;
  }

  async requestState(customer: Customer, requestId: string): Promise<string> {
    const [request] = await this.query<{ state: string }>('SELECT state FROM block_request WHERE client_id = $1 AND request_id = $2', [
      customer.clientId,
      requestId,
    ]);
    return request!.state;
  }

  orders(
    customer: Customer,
    requestId: string,
  ): Promise<{ sim_id: string; state: string; error_code: string | null; error: string | null; verified_at: Date | null }[]> {
    return this.query(
      'SELECT sim_id, state, error_code, error, verified_at FROM block_request_sim WHERE client_id = $1 AND request_id = $2 ORDER BY sim_id',
      [customer.clientId, requestId],
    );
  }

  /** What a subscriber would be told about a SIM: its states in order. */
  async toldStates(customer: Customer, simId: string): Promise<string[]> {
    return (await this.toldSteps(customer, simId)).map((step) => step.to_state);
  }

  toldSteps(customer: Customer, simId: string): Promise<{ from_state: string; to_state: string }[]> {
    return this.query(
      `SELECT from_state, to_state FROM (SELECT client_id, type, subject_id, sequence, from_state, to_state FROM event_pending
         UNION ALL SELECT client_id, type, subject_id, sequence, from_state, to_state FROM event_log) AS event
       WHERE client_id = $1 AND type = 'SIM_BLOCK_STATE_CHANGED' AND subject_id = $2 ORDER BY sequence`,
      [customer.clientId, simId],
    );
  }
}
