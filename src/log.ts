/** The process's log: JSON lines on standard error, secrets redacted, identifiers of subscribers masked. */
import pino from 'pino';
import { Log } from './runtime';

/** Names under which secrets travel; pino replaces their values wherever they stand at these depths. */
const secretNames = ['authorization', 'secret', 'key', 'password', 'token', 'operatorKey', 'databaseUrl'];
const subscriberNames = ['imsi', 'msisdn'];

/** What else of an error is logged. PostgreSQL's `detail` and `where` quote whole rows, and a URL's error the URL, password and all. */
const errorFields = ['code', 'severity', 'schema', 'table', 'column', 'constraint', 'routine', 'syscall', 'address', 'port'] as const;

export function processLog(level: string, destination: pino.DestinationStream = pino.destination({ dest: 2, sync: true })): Log {
  const paths = [...secretNames, ...subscriberNames].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const logger = pino(
    {
      level,
      serializers: { err: shownError },
      redact: { paths, censor: (value, path) => (subscriberNames.includes(String(path.at(-1))) ? shownIdentifier(value) : '[hidden]') },
    },
    destination,
  );
  return new (class extends Log {
    readonly logger = logger;
  })();
}

function shownError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const fields = error as unknown as Record<string, unknown>;
  const known = Object.fromEntries(errorFields.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
  const { message, stack } = pino.stdSerializers.err(error);
  return { type: error.constructor.name, message: withoutNumbers(message), stack: withoutNumbers(stack), ...known };
}

/** IMSI, IMEI and ICCID have 14 to 20 digits; times have fewer. */
function withoutNumbers(text: string): string {
  return text.replace(/\d{14,20}/g, masked);
}

/** The first five digits say the network; the rest says who. */
function masked(identifier: string): string {
  return identifier.slice(0, 5) + '*'.repeat(Math.max(0, identifier.length - 5));
}

function shownIdentifier(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? masked(String(value)) : null;
}
