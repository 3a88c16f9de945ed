/** CPU time of the PostgreSQL processes that serve one database, read from /proc: how much of a day is the server's, whatever else runs beside it. */
import { readdirSync, readFileSync } from 'node:fs';

/** What /proc counts in: sysconf(_SC_CLK_TCK), 100 on every Linux that we know. */
const TICKS_PER_SECOND = 100;
/** Looking for new processes reads the command line of all. */
const SEARCH_MILLISECONDS = 1_000;

export class BackendCpu {
  /** Ticks by process; one that has ended keeps what it had. */
  private readonly ticks = new Map<string, number>();
  private searchedAt = -Infinity;

  /** null: none, always 0. */
  constructor(private readonly databaseName: string | null) {}

  /** What was seen of them so far; 0 where they run elsewhere. */
  seconds(): number {
    if (this.databaseName === null) return 0;
    if (performance.now() - this.searchedAt > SEARCH_MILLISECONDS) this.search();
    let sum = 0;
    for (const [pid, before] of this.ticks) {
      const now = ticksOf(pid) ?? before;
      this.ticks.set(pid, now);
      sum += now;
    }
    return sum / TICKS_PER_SECOND;
  }

  private search(): void {
    this.searchedAt = performance.now();
    for (const pid of numbersIn('/proc')) {
      if (!this.ticks.has(pid) && isBackend(textOf(`/proc/${pid}/cmdline`), this.databaseName!)) this.ticks.set(pid, 0);
    }
  }
}

/** `postgres: 15/main: simwarden the_database 127.0.0.1(40000) idle` */
function isBackend(commandLine: string, databaseName: string): boolean {
  return commandLine.startsWith('postgres: ') && commandLine.split(' ').includes(databaseName);
}

/** User and system time; null for a process that has ended. The second field, its name in parentheses, may hold spaces. */
function ticksOf(pid: string): number | null {
  const text = textOf(`/proc/${pid}/stat`);
  if (text === '') return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function numbersIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
