/** The impact preview as GraphQL shows it. */
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { ByteCountScalar, DateTimeScalar } from '../graphql/scalars';
import { BlockWarningCode, type BlockImpact } from './block-impact';

registerEnumType(BlockWarningCode, {
  name: 'BlockWarningCode',
  description: 'What may go wrong with a block.',
  valuesConfig: {
    SIGNALING_STORM: { description: 'A temporary reject makes many modems retry for ever.' },
    CRITICAL_DEVICE: { description: 'A device is marked critical.' },
    WHOLE_FLEET: { description: 'No SIM of a fleet would be left.' },
    SESSION_MAY_RETURN: { description: 'The modem may start another session at once.' },
    CAP_WOULD_BE_PASSED: { description: 'Confirming now would be refused for the hourly cap.' },
  },
});

@ObjectType({ description: 'A thing to consider before confirming.' })
export class BlockWarning {
  @Field(() => BlockWarningCode, { description: 'What kind of thing.' })
  code: BlockWarningCode;
  @Field(() => String, { description: 'The same in words, with numbers.' })
  message: string;
}

@ObjectType({ description: 'Open alerts of the SIMs, of one kind and severity.' })
export class BlockImpactAlerts {
  @Field(() => String, { description: 'Kind of alert, such as BREACH.' })
  kind: string;
  @Field(() => String, { description: 'INFO, WARNING or CRITICAL.' })
  severity: string;
  @Field(() => Int, { description: 'How many are open or acknowledged, 1 or more.' })
  count: number;
}

@ObjectType({ description: 'What a block would do to one fleet.' })
export class BlockImpactFleet {
  @Field(() => Int, { description: 'SIMs of the fleet that the request names.' })
  requestedCount: number;
  @Field(() => Int, { description: "SIMs of the fleet that it doesn't name; 0 for SIMs without a fleet." })
  siblingCount: number;
  @Field(() => Int, { description: 'SIMs of the fleet that are blocked, or being blocked, already.' })
  blockedCount: number;
  clientId: number;
  fleetId: string | null;
}

@ObjectType({ description: 'What a block would do to one SIM.' })
export class BlockImpactSim {
  @Field(() => Boolean, { description: 'Whether its device is marked critical.' })
  critical: boolean;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When its last usage was; null: none is known.' })
  lastTrafficAt: string | null;
  @Field(() => ByteCountScalar, { description: 'Bytes of both directions in the last 24 hours.' })
  bytesLast24Hours: string;
  clientId: number;
  simId: string;
}

@ObjectType('BlockImpact', { description: 'What a block would do, as it stood when it was asked for.' })
export class ShownImpact {
  @Field(() => Int, { description: 'SIMs that would be blocked.' })
  simCount: number;
  @Field(() => Int, { description: 'How many of them sit in devices marked critical.' })
  criticalCount: number;
  @Field(() => DateTimeScalar, { nullable: true, description: 'When the last usage of any of them was; null: none is known.' })
  lastTrafficAt: string | null;
  @Field(() => ByteCountScalar, { description: 'Their bytes of both directions in the last 24 hours.' })
  bytesLast24Hours: string;
  @Field(() => [BlockImpactFleet], { description: 'The fleets that are touched.' })
  fleets: BlockImpactFleet[];
  @Field(() => [BlockImpactAlerts], { description: 'What detectors say about the SIMs now, most alerts first.' })
  openAlerts: BlockImpactAlerts[];
  @Field(() => [BlockWarning], { description: 'What to consider before confirming.' })
  warnings: BlockWarning[];
  @Field(() => [BlockImpactSim], { description: 'The SIMs one by one, critical ones first, then by bytes; at most 100.' })
  sims: BlockImpactSim[];

  static of(clientId: number, impact: BlockImpact): ShownImpact {
    return Object.assign(new ShownImpact(), {
      ...impact,
      fleets: impact.fleets.map((fleet) => ({ ...fleet, clientId })),
      sims: impact.sims.map((sim) => ({ ...sim, clientId })),
    });
  }
}
