/** Who is calling, as far as the GraphQL machinery needs to know; the access slice makes these from credentials. */

export enum Role {
  OPERATOR = 'OPERATOR',
  CLIENT_ADMIN = 'CLIENT_ADMIN',
  CLIENT_OPERATOR = 'CLIENT_OPERATOR',
  CLIENT_VIEWER = 'CLIENT_VIEWER',
  INGEST = 'INGEST',
  EMBED = 'EMBED',
}

export interface Caller {
  readonly role: Role;
  /** The client that the caller belongs to; 0 for the operator, who sees every client. */
  readonly clientId: number;
  /** Id of the key or token; names the ingest source unless a header says otherwise. */
  readonly credentialId: string;
  readonly credentialKind: 'API_KEY' | 'EMBED_TOKEN' | 'LOCAL';
  /** What the audit log shows. */
  readonly name: string;
  /** The human answerable for it: two credentials of one person count as one when a second person must confirm. */
  readonly person: string;
  /** When the credential ends by itself; sockets close then. null: never. */
  readonly expiresAt: Date | null;
  /** Fleets that the caller is restricted to; null: all of its client's. */
  readonly fleetIds: readonly string[] | null;
}

/** True for the operator, whose reads cross clients. */
export function isOperator(caller: Caller): boolean {
  return caller.role === Role.OPERATOR;
}
