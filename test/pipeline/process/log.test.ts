/** The process's log: enough to find a fault, nothing about a subscriber, no secret. */
import { processLog } from '../../../src/log';

/** What a line of the log says. */
function logged(write: (logger: ReturnType<typeof processLog>['logger']) => void): string {
  let text = '';
  write(processLog('info', { write: (line: string) => void (text += line) }).logger);
  return text;
}

it('shows what happened, and no row that PostgreSQL quotes', () => {
  const refused = Object.assign(new Error('new row for relation "sim" violates check constraint "sim_lifecycle"'), {
    code: '23514',
    constraint: 'sim_lifecycle',
    detail: 'Failing row contains (1, 5, 8934071100000000001, 214070000000001).',
    where: 'COPY usage_record, line 3: "214070000000001"',
    parameters: ['214070000000001'],
  });
  const text = logged((logger) => logger.error({ err: refused }, 'ingest failed'));
  expect(JSON.parse(text)).toMatchObject({ msg: 'ingest failed', err: { type: 'Error', code: '23514', constraint: 'sim_lifecycle' } });
  expect(text).toContain('log.test');
  expect(text).not.toMatch(/214070000000001|8934071100000000001/);
});

it('masks identifiers in the words of an error and of what caused it', () => {
  const cause = new Error('invalid input syntax for type uuid: "214070000000001"');
  const text = logged((logger) => logger.error({ err: new Error('SIM 8934071100000000001 was not found', { cause }) }, 'x'));
  expect(text).toContain('SIM 89340**************');
  expect(text).toContain('21407**********');
  expect(text).not.toMatch(/\d{14}/);
});

it('hides secrets wherever they travel, a database URL in an error too', () => {
  const wrong = Object.assign(new TypeError('Invalid URL'), { input: 'postgres://bob:hunter2@host' });
  const text = logged((logger) => {
    logger.error({ err: wrong }, 'x');
    logger.info({ authorization: 'Bearer hunter2', request: { headers: { authorization: 'Bearer hunter2' } }, key: 'hunter2' }, 'y');
    logger.info({ sim: { imsi: '214070000000001', msisdn: null } }, 'z');
  });
  expect(text).not.toMatch(/hunter2|214070000000001/);
  expect(text).toContain('"imsi":"21407**********","msisdn":null');
});
