/** The graphql-transport-ws protocol: what a client may say, and the codes a socket is closed with. */
import type { OperationRequest } from './operation-gate';

export const SUBPROTOCOL = 'graphql-transport-ws';

/** The first seven are of the protocol (graphql-ws, PROTOCOL.md); the last two of RFC 6455, and mean: connect again, with `after`. */
export const closeCodes = {
  BAD_REQUEST: { code: 4400, reason: 'Invalid message' },
  UNAUTHORIZED: { code: 4401, reason: 'Unauthorized' },
  FORBIDDEN: { code: 4403, reason: 'Forbidden' },
  SUBPROTOCOL_NOT_ACCEPTABLE: { code: 4406, reason: 'Subprotocol not acceptable' },
  INITIALISATION_TIMEOUT: { code: 4408, reason: 'Connection initialisation timeout' },
  SUBSCRIBER_EXISTS: { code: 4409, reason: 'Subscriber already exists' },
  TOO_MANY: { code: 4429, reason: 'Too many requests' },
  /** The process stops. */
  RESTART: { code: 1012, reason: 'Server is stopping; connect again' },
  /** The client reads slower than events come: 1 MB waits for it. */
  TOO_SLOW: { code: 1013, reason: 'Reading too slowly; connect again with `after`' },
} as const;

export type CloseReason = keyof typeof closeCodes;

export type ClientMessage =
  | { readonly type: 'connection_init'; readonly authorization: string | undefined }
  | { readonly type: 'ping'; readonly payload: unknown }
  | { readonly type: 'pong' }
  | { readonly type: 'subscribe'; readonly id: string; readonly request: OperationRequest }
  | { readonly type: 'complete'; readonly id: string };

/** Reads a message; throws a sentence for the close frame where it is none. */
export function parseMessage(text: string): ClientMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new MessageError('Message is not valid JSON');
  }
  if (!isObject(message)) throw new MessageError('Message must be an object');
  switch (message['type']) {
    case 'connection_init': {
      const payload = optionalObject(message['payload'], 'payload');
      const authorization = payload?.['authorization'] ?? payload?.['Authorization'];
      return { type: 'connection_init', authorization: typeof authorization === 'string' ? authorization : undefined };
    }
    case 'ping':
      return { type: 'ping', payload: optionalObject(message['payload'], 'payload') };
    case 'pong':
      optionalObject(message['payload'], 'payload');
      return { type: 'pong' };
    case 'complete':
      return { type: 'complete', id: operationId(message['id']) };
    case 'subscribe':
      return { type: 'subscribe', id: operationId(message['id']), request: operationRequest(message['payload']) };
    default:
      throw new MessageError('Message has an unknown type');
  }
}

export class MessageError extends Error {}

function operationRequest(payload: unknown): OperationRequest {
  if (!isObject(payload)) throw new MessageError('"subscribe" needs a payload');
  const { query, operationName, variables } = payload;
  if (typeof query !== 'string') throw new MessageError('"payload.query" must be a string');
  if (operationName !== undefined && operationName !== null && typeof operationName !== 'string')
    throw new MessageError('"payload.operationName" must be a string');
  optionalObject(payload['extensions'], 'payload.extensions');
  return { query, operationName: operationName ?? null, variables: optionalObject(variables, 'payload.variables') };
}

function operationId(id: unknown): string {
  if (typeof id !== 'string' || id === '' || id.length > 255) throw new MessageError('"id" must be a string of 1 to 255 characters');
  return id;
}

function optionalObject(value: unknown, name: string): Record<string, unknown> | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw new MessageError(`"${name}" must be an object`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
