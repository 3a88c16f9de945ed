/** A process that writes leases into an embedded database and says each one that is committed, until it is killed: run by embedded.test.ts. */
import { openDatabase } from '../../../src/database/open';
import { testLog } from '../../support/database';

async function main(): Promise<void> {
  const database = await openDatabase({ dataDirectory: process.argv[2]!, entities: [], log: testLog });
  for (let number = Number(process.argv[3]); ; number++) {
    await database.transaction({ name: 'write', role: 'ingest' }, (tx) =>
      tx.query(`INSERT INTO lease (name, held_until) VALUES ($1, 'epoch')`, [`row ${number}`]),
    );
    process.stdout.write(`${number}\n`);
  }
}

main().catch((error: Error) => {
  process.stdout.write(`failed ${(error as { code?: string }).code ?? error.message}\n`);
  process.exitCode = 1;
});
