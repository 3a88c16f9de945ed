/** `simwarden backtest`: a detector tried on past days, of a client or of the population, followed to its end, and what it would have raised. */
import type { Config } from '../config';
import { SimwardenError } from '../errors';
import { openDoor, refused, type Door } from './door';
import { ended, followRun, printRun, RUN, type Run } from './population';
import { startProgress } from './progress';

export interface BacktestOptions {
  /** Names; of a SIM its ICCID. */
  readonly client?: string;
  readonly fleet?: string;
  readonly sim?: string;
  /** YYYY-MM-DD. */
  readonly from: string;
  readonly to: string;
  /** JSON. */
  readonly options?: string;
  readonly json: boolean;
}

interface Found {
  readonly id: string;
  readonly state: 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
  readonly error: string | null;
  readonly warnings: readonly string[];
  readonly daysDone: number;
  readonly daysTotal: number;
  readonly simDays: number;
  readonly findingCount: number;
  readonly kinds: readonly {
    kind: string;
    title: string;
    findings: number;
    subjects: number;
    alerts: number;
    findingsPer1000SimDays: number | null;
  }[];
  readonly days: readonly {
    day: string;
    findings: number;
    rowsJudged: string;
    rowsAbstained: string;
    failedPages: number;
    error: string | null;
  }[];
  readonly findings: {
    readonly nodes: readonly {
      day: string;
      kind: string;
      severity: string;
      network: string | null;
      country: string | null;
      sim: { iccid: string } | null;
      fleet: { name: string } | null;
      evidence: readonly { text: string }[];
    }[];
  };
}

const STANDING = 'id state error warnings daysDone daysTotal simDays findingCount';
const WHOLE = `${STANDING} kinds { kind title findings subjects alerts findingsPer1000SimDays } days { day findings rowsJudged rowsAbstained failedPages error }
  findings(first: 20) { nodes { day kind severity network country sim { iccid } fleet { name } evidence { text } } }`;

/** Answers the process's exit code. */
export async function backtestCommand(detector: string, options: BacktestOptions, config: Config): Promise<number> {
  const given = optionsOf(options.options);
  const door = await openDoor(config);
  try {
    // days may be due to close
    for (let works = door.works; works;) works = await door.wait();
    const scope = await scopeOf(door, options);
    const input = { detector, scope, from: options.from, to: options.to, ...given };
    const { backtestDetector: asked } = await door.ask<{
      backtestDetector: { run: Run | null; backtest: Found | null; userErrors: { code: string; message: string }[] };
    }>(
      `mutation Ask($input: BacktestDetectorInput!) { backtestDetector(input: $input) { run { ${RUN} } backtest { ${STANDING} } userErrors { code message } } }`,
      { input },
    );
    if (asked.run !== null) {
      const run = await followRun(door, `backtest ${detector}`, asked.run);
      printRun(run, options.json, { detector });
      return ended(run);
    }
    if (asked.backtest === null) throw refused(asked.userErrors);
    const found = await follow(door, `backtest ${detector}`, asked.backtest);
    if (options.json) process.stdout.write(`${JSON.stringify({ detector, ...found })}\n`);
    else print(found);
    for (const warning of found.warnings) process.stderr.write(`${warning}\n`);
    if (found.state !== 'SUCCEEDED')
      process.stderr.write(`The back-test ${found.state === 'FAILED' ? `failed: ${found.error}` : 'was cancelled'}\n`);
    return found.state === 'SUCCEEDED' ? 0 : 1;
  } finally {
    await door.close();
  }
}

function optionsOf(text: string | undefined): { options?: unknown } {
  if (text === undefined) return {};
  try {
    return { options: JSON.parse(text) as unknown };
  } catch (error) {
    throw new SimwardenError('BAD_REQUEST', {
      what: `--options is no JSON (${(error as Error).message}); write an object, such as '{"multiple": 8}'`,
    });
  }
}

/** An interrupt cancels the back-test; what it found until then is shown. */
async function follow(door: Door, title: string, begun: Found): Promise<Found> {
  const progress = startProgress(title, begun.daysTotal, 'days');
  const cancel = (): void =>
    void door.ask('mutation Cancel($input: CancelBacktestInput!) { cancelBacktest(input: $input) { userErrors { code } } }', {
      input: { backtest: begun.id },
    });
  process.once('SIGINT', cancel);
  try {
    const look = (fields: string) =>
      door.ask<{ backtest: Found }>(`query Look($id: ID!) { backtest(id: $id) { ${fields} } }`, { id: begun.id });
    for (let { state } = begun; state === 'WAITING' || state === 'RUNNING';) {
      await door.wait();
      const { backtest } = await look(STANDING);
      progress.update(backtest.daysDone, `${backtest.findingCount} findings`);
      state = backtest.state;
    }
    return (await look(WHOLE)).backtest;
  } finally {
    process.off('SIGINT', cancel);
    progress.stop();
  }
}

function print({ daysDone, simDays, findingCount, kinds, days, findings }: Found): void {
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const of = simDays > 0 ? ` of ${simDays} SIM-days` : '';
  line(`${many(daysDone, 'day')}${of} judged, ${many(findingCount, 'finding')}`);
  for (const { kind, title, findings: count, subjects, alerts, findingsPer1000SimDays: rate } of kinds)
    line(
      `  ${kind} (${title}): ${many(count, 'finding')} of ${subjects}, ${many(alerts, 'alert')}${rate === null ? '' : `, ${rate.toFixed(2)} per 1,000 SIM-days`}`,
    );
  for (const { day, findings: count, rowsJudged, rowsAbstained, error } of days)
    line(
      `  ${day}: ${many(count, 'finding')}, ${rowsAbstained} of ${rowsJudged} rows abstained${error === null ? '' : `; failed: ${error}`}`,
    );
  if (findings.nodes.length > 0) line('The latest:');
  for (const { day, kind, severity, network, country, sim, fleet, evidence } of findings.nodes) {
    const who = sim ? `SIM ${sim.iccid}` : (network ?? country ?? (fleet ? `fleet ${fleet.name}` : 'the client'));
    line(`  ${day} ${severity} ${kind} ${who}: ${evidence.map(({ text }) => text).join('; ')}`);
  }
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** The one named most closely; null: the population. */
async function scopeOf(door: Door, { client, fleet, sim }: BacktestOptions): Promise<object | null> {
  if (client === undefined) return null;
  const clientId = await named(door, 'clients', 'client', client);
  if (sim !== undefined) {
    const { simByIccid } = await door.ask<{ simByIccid: { id: string; client: { id: string } | null } | null }>(
      'query Sim($iccid: ICCID!) { simByIccid(iccid: $iccid) { id client { id } } }',
      { iccid: sim },
    );
    if (simByIccid === null || simByIccid.client?.id !== clientId) throw nobody('SIM', sim);
    return { sim: simByIccid.id };
  }
  return fleet === undefined ? { client: clientId } : { fleet: await named(door, 'fleets', 'fleet', fleet, clientId) };
}

async function named(door: Door, list: 'clients' | 'fleets', what: string, name: string, client?: string): Promise<string> {
  interface Page {
    readonly nodes: readonly { id: string; name: string }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  }
  const ofClient = client === undefined ? ['', ''] : [', $client: ID', ', client: $client'];
  for (let after: string | null = null, more = true; more;) {
    const answer: Record<string, Page> = await door.ask(
      `query Named($after: String${ofClient[0]}) { ${list}(first: 100, after: $after${ofClient[1]}) { nodes { id name } pageInfo { hasNextPage endCursor } } }`,
      { after, ...(client === undefined ? {} : { client }) },
    );
    const { nodes, pageInfo } = answer[list]!;
    const found = nodes.find((node) => node.name === name);
    if (found) return found.id;
    [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
  }
  throw nobody(what, name);
}

function nobody(what: string, name: string): SimwardenError {
  return new SimwardenError('BAD_REQUEST', { what: `There is no ${what} "${name}"; correct the name` });
}
