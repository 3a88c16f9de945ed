/** The words of signaling, as GraphQL shows them. */
import { registerEnumType } from 'type-graphql';
import { CANCELLATION_TYPES, ORIGINS, OUTCOMES, PROCEDURES, PROTOCOLS } from '../dialogue-codes';

type Words<Names extends readonly string[]> = { readonly [Name in Names[number]]: Name };

function words<const Names extends readonly string[]>(names: Names): Words<Names> {
  return Object.fromEntries(names.map((name) => [name, name])) as Words<Names>;
}

export const DialogueProtocol = words(PROTOCOLS);
export const DialogueProcedure = words(PROCEDURES);
export const DialogueOrigin = words(ORIGINS);
export const DialogueOutcome = words(OUTCOMES);
export const CancellationType = words(CANCELLATION_TYPES);

registerEnumType(DialogueProtocol, {
  name: 'DialogueProtocol',
  description: 'Signaling protocol of a dialogue.',
  valuesConfig: { MAP: { description: 'MAP over SCCP: 2G and 3G.' }, DIAMETER: { description: 'Diameter S6a: 4G.' } },
});
registerEnumType(DialogueProcedure, {
  name: 'DialogueProcedure',
  description: 'What was asked of the home network, or by it.',
  valuesConfig: {
    SAI: { description: 'Authentication information: MAP operation 56, Diameter command 318.' },
    UL: { description: 'Update location from a VLR (MAP 2) or an MME (Diameter 316).' },
    UL_GPRS: { description: 'Update location from an SGSN (MAP 23).' },
    CL: { description: 'Cancel location: MAP 3, Diameter 317.' },
    PURGE: { description: 'Purge of a subscriber: MAP 67, Diameter 321.' },
    NOTIFY: { description: 'Notification or insertion of subscriber data: MAP 7, Diameter 323 and 319.' },
  },
});
registerEnumType(DialogueOrigin, {
  name: 'DialogueOrigin',
  description: 'Who began the dialogue.',
  valuesConfig: {
    VLR: { description: 'The visited VLR: voice and SMS of 2G and 3G.' },
    SGSN: { description: 'The visited SGSN: data of 2G and 3G.' },
    MME: { description: 'The visited MME: 4G.' },
    HOME: { description: 'The home network.' },
  },
});
registerEnumType(DialogueOutcome, {
  name: 'DialogueOutcome',
  description: 'How a dialogue ended.',
  valuesConfig: {
    SUCCESS: { description: 'It was done.' },
    REJECT: { description: 'A valid exchange in which the core network said no.' },
    ERROR: { description: 'It was technically invalid or unusable.' },
    TIMEOUT: { description: 'No answer came, or it was aborted.' },
  },
});
registerEnumType(CancellationType, {
  name: 'CancellationType',
  description: 'Why a location was cancelled.',
  valuesConfig: {
    UPDATE_PROCEDURE: { description: 'The SIM moved to another node: healthy.' },
    SUBSCRIPTION_WITHDRAWAL: { description: 'The home network took the subscription away.' },
  },
});
