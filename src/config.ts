/** The only reader of the environment: every key with its meaning, unit, default and range. */
import { Cron } from 'croner';
import { SimwardenError } from './errors';

interface Setting<Value> {
  readonly environment: string;
  readonly description: string;
  readonly fallback: Value;
  readonly parse: (text: string) => Value | undefined;
  /** What a valid value looks like, for the error and the documentation. */
  readonly expected: string;
  readonly secret?: boolean;
}

const text = (environment: string, fallback: string | null, description: string, secret = false): Setting<string | null> => ({
  environment,
  description,
  fallback,
  secret,
  expected: 'a text',
  parse: (value) => value,
});

const integer = (environment: string, fallback: number, minimum: number, maximum: number, description: string): Setting<number> => ({
  environment,
  description,
  fallback,
  expected: `a whole number from ${minimum} to ${maximum}`,
  parse: (value) => (/^-?\d{1,15}$/.test(value) && Number(value) >= minimum && Number(value) <= maximum ? Number(value) : undefined),
});

const oneOf = <Value extends string>(
  environment: string,
  fallback: Value,
  values: readonly Value[],
  description: string,
): Setting<Value> => ({
  environment,
  description,
  fallback,
  expected: `one of ${values.join(', ')}`,
  parse: (value) => values.find((known) => known === value),
});

const list = (environment: string, description: string): Setting<readonly string[]> => ({
  environment,
  description,
  fallback: [],
  expected: 'origins separated by commas, such as https://portal.example.com',
  parse: (value) => {
    const origins = value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    return origins.every((origin) => /^https?:\/\/[^/\s]+$/.test(origin)) ? origins : undefined;
  },
});

function isCronExpression(text: string): boolean {
  if (text.trim().split(/\s+/).length !== 5) return false;
  try {
    return new Cron(text, { timezone: 'UTC', paused: true }).nextRun() !== null;
  } catch {
    return false;
  }
}
const names = (environment: string, expected: string, description: string): Setting<readonly string[]> => ({
  environment,
  description,
  fallback: [],
  expected,
  parse: (value) =>
    value
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
});

function isPostgresUrl(text: string): boolean {
  try {
    const { protocol, username, password } = new URL(text);
    decodeURIComponent(username + password);
    return protocol === 'postgres:' || protocol === 'postgresql:';
  } catch {
    return false;
  }
}

export const settings = {
  environment: oneOf('NODE_ENV', 'development', ['development', 'test', 'production'], 'production turns GraphiQL off.'),
  host: text('HOST', '127.0.0.1', 'Address to listen on.') as Setting<string>,
  port: integer('PORT', 4000, 0, 65_535, 'TCP port to listen on; 0 takes a free one.'),
  databaseUrl: {
    environment: 'DATABASE_URL',
    fallback: null,
    secret: true,
    description: 'PostgreSQL 15 or newer. Absent: the embedded database.',
    expected: 'postgres://user:password@host:port/database, with special characters of the password percent-encoded',
    parse: (value) => (isPostgresUrl(value) ? value : undefined),
  } as Setting<string | null>,
  dataDirectory: text(
    'SIMWARDEN_DATA_DIR',
    '.simwarden',
    'Directory of the embedded database; one process holds it at a time.',
  ) as Setting<string>,
  operatorKey: {
    environment: 'SIMWARDEN_OPERATOR_KEY',
    fallback: null,
    secret: true,
    description: 'An operator API key that is valid from the first start. Absent: one is made at the first start and printed once.',
    expected: '32 to 512 printable ASCII characters without spaces',
    parse: (value) => (/^[\x21-\x7e]{32,512}$/.test(value) ? value : undefined),
  } as Setting<string | null>,
  corsOrigins: list('SIMWARDEN_CORS_ORIGINS', 'Web origins that may call from a browser.'),
  logLevel: oneOf(
    'SIMWARDEN_LOG_LEVEL',
    'info',
    ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'],
    'How much is logged (JSON lines on standard error).',
  ),
  databasePoolSize: integer('SIMWARDEN_DATABASE_POOL', 10, 2, 200, 'Connections to PostgreSQL per process.'),
  statementTimeoutMilliseconds: integer(
    'SIMWARDEN_STATEMENT_TIMEOUT_MS',
    15_000,
    100,
    600_000,
    'Milliseconds that one database statement of a query may take.',
  ),
  leaseTimeoutMilliseconds: integer(
    'SIMWARDEN_SESSION_TIMEOUT_MS',
    15_000,
    100,
    600_000,
    'Milliseconds to wait for a free database session.',
  ),
  requestsPerMinute: integer('SIMWARDEN_REQUESTS_PER_MINUTE', 6_000, 1, 10_000_000, 'GraphQL requests per minute and credential.'),
  populationSchedule: {
    environment: 'SIMWARDEN_POPULATION_SCHEDULE',
    fallback: '30 6 * * *',
    description: 'When the population of the day before is judged, as a cron expression in UTC; it waits for the day to close.',
    expected: 'a cron expression of five fields, such as 30 6 * * *',
    parse: (value) => (isCronExpression(value) ? value : undefined),
  } as Setting<string>,
  populationRefitDays: integer('SIMWARDEN_POPULATION_REFIT_DAYS', 30, 1, 366, 'Days after which population models are fitted again.'),
  socketsPerCredential: integer(
    'SIMWARDEN_SOCKETS_PER_CREDENTIAL',
    1_000,
    1,
    1_000_000,
    'WebSockets that one credential may hold open at a process.',
  ),
  ingestsPerCredential: integer(
    'SIMWARDEN_INGESTS_PER_CREDENTIAL',
    16,
    1,
    10_000,
    'POST /ingest requests of one credential that a process serves at once.',
  ),
  chunkRows: integer(
    'SIMWARDEN_CHUNK_ROWS',
    0,
    0,
    100_000,
    'Rows stored in one ingest transaction; 0: 10,000, of dialogues 100,000 (embedded 20,000).',
  ),
  detectors: names(
    'SIMWARDEN_DETECTORS',
    'package names or paths separated by commas, such as acme-night-traffic,./my-detector',
    "Partners' detectors, loaded at start, each in a process of its own; needs `SIMWARDEN_ALLOW_PARTNER_CODE`.",
  ),
  allowPartnerCode: oneOf(
    'SIMWARDEN_ALLOW_PARTNER_CODE',
    '0',
    ['0', '1'],
    "1: the partners' code was reviewed. It can read no file and no environment, but nothing keeps it from the network.",
  ),
  partnerMemoryMegabytes: integer(
    'SIMWARDEN_PARTNER_MEMORY_MB',
    256,
    128,
    16_384,
    "Megabytes that the process of a partner's detector may hold; half of it as heap.",
  ),
} as const;

type SettingName = keyof typeof settings;
type Values = {
  readonly [Name in SettingName]: (typeof settings)[Name]['fallback'] extends infer Fallback
    ? (typeof settings)[Name] extends Setting<infer Value>
      ? Value
      : Fallback
    : never;
};

/** The configuration of one process; an object of its own so that tests can make any. */
export class Config implements Values {
  readonly environment!: Values['environment'];
  readonly host!: string;
  readonly port!: number;
  readonly databaseUrl!: string | null;
  readonly dataDirectory!: string;
  readonly operatorKey!: string | null;
  readonly corsOrigins!: readonly string[];
  readonly logLevel!: Values['logLevel'];
  readonly databasePoolSize!: number;
  readonly statementTimeoutMilliseconds!: number;
  readonly leaseTimeoutMilliseconds!: number;
  readonly requestsPerMinute!: number;
  readonly populationSchedule!: string;
  readonly populationRefitDays!: number;
  readonly socketsPerCredential!: number;
  readonly ingestsPerCredential!: number;
  readonly chunkRows!: number;
  readonly detectors!: readonly string[];
  readonly allowPartnerCode!: Values['allowPartnerCode'];
  readonly partnerMemoryMegabytes!: number;

  /** Defaults, overridden by `values`. */
  constructor(values: Partial<Values> = {}) {
    const defaults = Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, setting.fallback]));
    Object.assign(this, defaults, values);
  }

  /** Reads the environment; throws CONFIGURATION_INVALID with the key, what was given (secrets apart) and what is expected. */
  static fromEnvironment(environment: NodeJS.ProcessEnv = process.env): Config {
    const values: Record<string, unknown> = {};
    for (const [name, setting] of Object.entries(settings) as [string, Setting<unknown>][]) {
      const given = environment[setting.environment];
      if (given === undefined || given === '') continue;
      const value = setting.parse(given);
      if (value === undefined) {
        throw new SimwardenError('CONFIGURATION_INVALID', {
          key: setting.environment,
          given: setting.secret ? '(hidden)' : given,
          expected: setting.expected,
        });
      }
      values[name] = value;
    }
    return new Config(values);
  }
}
