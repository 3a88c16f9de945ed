/** How a detector runs, and where that is said. */
import { registerEnumType } from 'type-graphql';

export enum DetectorMode {
  ENABLED = 'ENABLED',
  SHADOW = 'SHADOW',
  DISABLED = 'DISABLED',
}

registerEnumType(DetectorMode, {
  name: 'DetectorMode',
  description: 'How a detector runs.',
  valuesConfig: {
    ENABLED: { description: 'It runs and raises alerts: the default of built-in detectors.' },
    SHADOW: { description: "It runs and its hits are counted on its runs, but it raises nothing: the default of partners' detectors." },
    DISABLED: { description: 'It does not run. Alerts that it raised before stay until they clear.' },
  },
});

export enum ConfigurationScope {
  CLIENT = 'CLIENT',
  FLEET = 'FLEET',
  SIM = 'SIM',
}

registerEnumType(ConfigurationScope, {
  name: 'ConfigurationScope',
  description: "What a configuration is for. The most specific one wins whole: SIM, then FLEET, then CLIENT, then the operator's default.",
  valuesConfig: {
    CLIENT: { description: 'Every SIM of the client; of the operator: of every client that has none of its own.' },
    FLEET: { description: 'Every SIM of a fleet.' },
    SIM: { description: 'One SIM.' },
  },
});
