/** A data directory of the embedded database, and the commands that want it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../src/commands/demo/api-client';
import { iccidOf, OPERATOR_KEY, USAGE_HEADER } from '../faults/usage-story';
import { RunningCommand, simwarden, type Environment, type Outcome } from '../support/command-line';

const HOUR = 3_600_000;

export interface Serving {
  readonly command: RunningCommand;
  readonly url: string;
  readonly operator: ApiClient;
}

export class EmbeddedHouse {
  readonly directory = mkdtempSync(join(tmpdir(), 'simwarden-embedded-'));
  readonly dataDirectory = join(this.directory, 'data');
  readonly environment: Environment = { SIMWARDEN_DATA_DIR: this.dataDirectory, PORT: '0', SIMWARDEN_OPERATOR_KEY: OPERATOR_KEY };
  /** No key and another port: it can reach the server by the directory alone. */
  readonly stranger: Environment = { SIMWARDEN_DATA_DIR: this.dataDirectory, PORT: '1' };
  private readonly running: RunningCommand[] = [];

  async close(): Promise<void> {
    for (const command of this.running) {
      command.kill('SIGKILL');
      await command.outcome;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  async serve(): Promise<Serving> {
    const command = this.keep(RunningCommand.simwarden(['serve'], this.environment));
    const url = (await command.line(/listens on (\S+)/))[1]!;
    return { command, url, operator: new ApiClient(url, OPERATOR_KEY) };
  }

  ingest(...args: string[]): Promise<Outcome> {
    return simwarden(['ingest', ...args], this.stranger);
  }

  /** It is killed at the end, at the latest. */
  keep(command: RunningCommand): RunningCommand {
    this.running.push(command);
    return command;
  }

  write(name: string, content: string): string {
    const file = join(this.directory, name);
    writeFileSync(file, content);
    return file;
  }

  /** Three bytes a record, of SIMs 0 to 9, of the last day by the real clock. */
  usageFile(name: string, records: number): string {
    const end = Math.floor(Date.now() / HOUR) * HOUR;
    const at = (minutes: number): string => new Date(end - minutes * 60_000).toISOString();
    const rows = Array.from(
      { length: records },
      (_, record) => `${name}-${record},${iccidOf(record % 10)},${at(record + 2)},${at(record + 1)},1,2\n`,
    );
    return this.write(`${name}.csv`, USAGE_HEADER + rows.join(''));
  }
}

/** All bytes of a client in the last days. */
export async function storedBytes({ operator }: Serving, client: string): Promise<number> {
  const { usageByTime } = await operator.graphql<{ usageByTime: { totalBytes: string }[] }>(
    `query Bytes($client: ID!, $from: DateTime!, $to: DateTime!) {
      usageByTime(scope: { client: $client }, from: $from, to: $to, granularity: WEEK) { totalBytes }
    }`,
    { client, from: new Date(Date.now() - 5 * 24 * HOUR).toISOString(), to: new Date(Date.now() + HOUR).toISOString() },
  );
  return usageByTime.reduce((sum, { totalBytes }) => sum + Number(totalBytes), 0);
}

export function countsOf({ stdout }: Outcome): string | undefined {
  return /: (\d+ accepted, \d+ duplicates, \d+ rejected)$/m.exec(stdout)?.[1];
}

export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}
