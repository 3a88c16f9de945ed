/** Where the servers of a fault test have their data: it outlives each of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase, testServerUrl } from '../support/database';

export interface Place {
  readonly databaseUrl: string | null;
  readonly dataDirectory: string | null;
  remove(): Promise<void>;
}

/** A PostgreSQL database where TEST_DATABASE_URL names a server, else a directory. */
export async function makePlace(): Promise<Place> {
  if (testServerUrl !== null) {
    const { url, drop } = await createTestDatabase(testServerUrl);
    return { databaseUrl: url, dataDirectory: null, remove: drop };
  }
  const dataDirectory = mkdtempSync(join(tmpdir(), 'simwarden-faults-'));
  return { databaseUrl: null, dataDirectory, remove: () => Promise.resolve(rmSync(dataDirectory, { recursive: true, force: true })) };
}
