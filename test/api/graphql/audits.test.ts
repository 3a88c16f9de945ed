/** The audits of the GraphQL over HTTP specification, with a credential and the header that the CSRF guard asks for. */
import { serverAudits } from 'graphql-http';
import { openTestDatabase, type TestDatabase } from '../../support/database';
import { startLampServer, type LampServer } from './lamp-server';

let db: TestDatabase;
let server: LampServer;

beforeAll(async () => {
  db = await openTestDatabase();
  server = await startLampServer(db.database);
});
afterAll(async () => {
  await server?.close();
  await db?.close();
});

const audits = serverAudits({
  url: () => server.url,
  fetchFn: (url: string, init: RequestInit = {}) =>
    fetch(url, {
      ...init,
      headers: { ...(init.headers as Record<string, string>), authorization: 'Bearer one', 'apollo-require-preflight': '1' },
    }),
});

test.each(audits.map((audit) => [`${audit.id} ${audit.name}`, audit] as const))('%s', async (_name, audit) => {
  const result = await audit.fn();
  expect(result.status === 'ok' ? 'ok' : `${result.status}: ${result.reason}`).toBe('ok');
});
