/** The kinds of imports, as GraphQL names them; the values are those of the endpoints and of storage. */
import { registerEnumType } from 'type-graphql';

export enum ImportKind {
  SIMS = 'sims',
  USAGE = 'usage',
  DIALOGUES = 'dialogues',
  CONNECTION_EVENTS = 'connection-events',
  DEVICE_EVENTS = 'device-events',
}

registerEnumType(ImportKind, {
  name: 'ImportKind',
  description: 'What a batch holds.',
  valuesConfig: {
    SIMS: { description: 'An inventory of SIMs.' },
    USAGE: { description: 'Usage records.' },
    DIALOGUES: { description: 'Signaling dialogues.' },
    CONNECTION_EVENTS: { description: 'Connection events.' },
    DEVICE_EVENTS: { description: 'Device events.' },
  },
});
