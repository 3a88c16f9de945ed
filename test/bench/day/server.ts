/** The server whose day is measured, in a process of its own: answers over HTTP at a clock that stands, and does what is due when it is told to. */
import 'reflect-metadata';
import { createApp } from '../../../src/app';
import { Config } from '../../../src/config';
import { openDatabase } from '../../../src/database/open';
import { processLog } from '../../../src/log';
import { ManualClock } from '../../../src/runtime';
import { BackendCpu } from './backend-cpu';
import { StopwatchDatabase } from './stopwatch';

export interface ServedDay {
  /** Null: the embedded database, in the directory. */
  readonly databaseUrl: string | null;
  readonly dataDirectory?: string;
  readonly operatorKey: string;
  /** Where its clock stands. */
  readonly now: string;
  /** Default: that of the product, daily. */
  readonly populationSchedule?: string;
}

const { now, ...settings } = JSON.parse(process.argv[2]!) as ServedDay;
const STATEMENT_MILLISECONDS = 600_000;

async function serve(): Promise<void> {
  const log = processLog('error');
  const budgets = { statementTimeoutMs: STATEMENT_MILLISECONDS, leaseTimeoutMs: STATEMENT_MILLISECONDS };
  const { databaseUrl: url, dataDirectory } = settings;
  const backends = new BackendCpu(url === null ? null : new URL(url).pathname.slice(1));
  const database = new StopwatchDatabase(await openDatabase({ url, dataDirectory, entities: [], log, ...budgets }), backends);
  const config = new Config({ ...settings, port: 0, statementTimeoutMilliseconds: STATEMENT_MILLISECONDS });
  const app = await createApp({ config, database, log, clock: new ManualClock(new Date(now)), workers: false });
  const answer: Readonly<Record<string, () => unknown>> = {
    begin: () => ({ ...usage(), databaseCpuSeconds: (database.take(), backends.seconds()) }),
    settle: () => app.settle().then(() => database.take()),
    usage,
  };
  process.on('message', (asked: string) => {
    if (asked === 'close') {
      void app
        .close()
        .then(() => database.close())
        .then(() => process.exit(0));
      return;
    }
    void Promise.resolve()
      .then(answer[asked])
      .then(
        (value) => process.send!({ value }),
        (error: unknown) => process.send!({ error: error instanceof Error ? error.stack : String(error) }),
      );
  });
  process.send!({ value: app.url });
}

function usage(): { cpuSeconds: number; peakBytes: number } {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 };
}

void serve();
