/** An API key as its owner's colleagues see it: everything but the secret. */
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { Role } from '../graphql/caller';
import { connectionOf } from '../graphql/connection';
import { toGlobalId } from '../graphql/global-id';
import { Node } from '../graphql/nodes';
import { DateTimeScalar } from '../graphql/scalars';
import type { ApiKeyRow } from './api-key-store';

registerEnumType(Role, {
  name: 'Role',
  description: 'What a credential may do.',
  valuesConfig: {
    OPERATOR: { description: 'The connectivity provider: sees and changes every client.' },
    CLIENT_ADMIN: { description: 'Reads and changes everything of its client, keys included.' },
    CLIENT_OPERATOR: { description: 'Reads its client; handles alerts, incidents and blocks.' },
    CLIENT_VIEWER: { description: 'Reads its client.' },
    INGEST: { description: "Sends its client's records, and sees what of them was held back." },
    EMBED: { description: 'Reads what a portal shows; never sees IMSI or MSISDN.' },
  },
});

@ObjectType({ implements: Node, description: 'A key that a program calls with. The key itself is shown once, when it is made.' })
export class ApiKey extends Node {
  @Field(() => String, { description: 'The part of the key between its underscores: enough to tell keys apart, of no use to a thief.' })
  prefix: string;
  @Field(() => Role, { description: 'What the key may do.' })
  role: Role;
  @Field(() => String, { description: 'What the key is for, as its maker wrote; what the audit log shows.' })
  name: string;
  @Field(() => String, {
    description: 'The person answerable for it. Two keys of one owner are one person where a block needs a second one.',
  })
  owner: string;
  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt: Date;
  @Field(() => String, { description: 'The name of the credential that made it.' })
  createdBy: string;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ends by itself; null: never.' })
  expiresAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was ended; null while it is good.' })
  revokedAt: Date | null;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When it was last used, to the minute; null: never.' })
  lastUsedAt: Date | null;
  /** 0 for an operator's key. */
  clientId: number;

  static of(row: ApiKeyRow): ApiKey {
    return Object.assign(new ApiKey(), {
      id: toGlobalId('ApiKey', row.client_id, row.key_id),
      clientId: row.client_id,
      prefix: row.prefix,
      role: row.role,
      name: row.name,
      owner: row.owner,
      createdAt: row.created_at,
      createdBy: row.created_by,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
      lastUsedAt: row.last_used_at,
    });
  }
}

@ObjectType({ description: 'A page of API keys.' })
export class ApiKeyConnection extends connectionOf(ApiKey, 'ApiKey') {}
