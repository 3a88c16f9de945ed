/** What an error of the database means: its SQLSTATE wherever it is wrapped, and the catalogue's error where a caller can act on it. */
import { SimwardenError, type ErrorCode, type ErrorDetails } from '../errors';

interface SqlErrorFields {
  code?: unknown;
  message?: unknown;
  constraint?: unknown;
  driverError?: unknown;
}

/** TypeORM wraps the driver's error; this is the one underneath. */
function driverErrorOf(error: unknown): SqlErrorFields {
  if (typeof error !== 'object' || error === null) return {};
  const fields = error as SqlErrorFields;
  return typeof fields.driverError === 'object' && fields.driverError !== null ? fields.driverError : fields;
}

/** The SQLSTATE of an error ('23505'), or undefined where it is not one of the database's. Citus reports some duplicates as XX000. */
export function sqlState(error: unknown): string | undefined {
  const { code, message } = driverErrorOf(error);
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return code === 'XX000' && String(message).includes('duplicate key value') ? '23505' : code;
}

/** Serialisation failure or deadlock: the same transaction, run again, may well succeed. */
export function isWorthRetrying(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

const lostConnection = /^(08...|57P0[1-4])$/;
const lostSocket = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAI_AGAIN']);
const lostMessage = /Connection terminated|connection error and is not queryable|Client was closed|server closed the connection/;
const waitedMessage = /timeout exceeded when trying to connect|terminated due to connection timeout|^timeout expired$/;

export interface Budgets {
  readonly statementTimeoutMs: number;
  readonly leaseTimeoutMs: number;
}

/** The catalogue's error for what a caller should hear about, with the original as its cause; any other error comes back as it is. */
export function toCatalogueError(error: unknown, budgets: Budgets): unknown {
  if (error instanceof SimwardenError) return error;
  const { code, message } = driverErrorOf(error);
  const state = sqlState(error);
  if (state === '57014') return because('STATEMENT_TIMEOUT', { milliseconds: budgets.statementTimeoutMs }, error);
  if (state === '53300' || waitedMessage.test(String(message)))
    return because('DATABASE_BUSY', { milliseconds: budgets.leaseTimeoutMs }, error);
  if ((state && lostConnection.test(state)) || lostSocket.has(String(code)) || lostMessage.test(String(message))) {
    return because('DATABASE_UNAVAILABLE', { what: String(message ?? code) }, error);
  }
  return error;
}

function because(code: ErrorCode, details: ErrorDetails, cause: unknown): SimwardenError {
  return Object.assign(new SimwardenError(code, details), { cause });
}
