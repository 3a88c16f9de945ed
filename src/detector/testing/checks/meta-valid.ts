import { CONTRACT_VERSION, type Kind } from '../../contract';
import type { Check } from './check';

const LONGEST_TEXT = 1000;
const severities = ['INFO', 'WARNING', 'CRITICAL'];

export const metaValid: Check = {
  id: 'meta-valid',
  title: 'meta declares id, version, contract, kinds, scope and limits as the contract says',
  dataFree: true,
  run({ detector: { meta } }) {
    const mistakes: string[] = [];
    const demand = (met: boolean, mistake: string) => void (met || mistakes.push(mistake));
    demand(
      /^[a-z][a-z0-9-]{0,63}$/.test(meta.id),
      `meta.id: expected lower-case letters, digits and hyphens, got ${JSON.stringify(meta.id)}`,
    );
    demand(
      /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(meta.version),
      `meta.version: expected a semantic version such as 1.0.0, got ${JSON.stringify(meta.version)}`,
    );
    demand(
      meta.contract === CONTRACT_VERSION,
      `meta.contract: this host speaks contract ${CONTRACT_VERSION}, got ${JSON.stringify(meta.contract)}`,
    );
    for (const text of ['title', 'summary', 'limits'] as const) {
      demand(isSentence(meta[text]), `meta.${text}: expected a sentence of one line, got ${JSON.stringify(meta[text])}`);
    }
    demand(
      meta.reference === undefined || isSentence(meta.reference),
      `meta.reference: expected one line, got ${JSON.stringify(meta.reference)}`,
    );
    demand(
      ['usage', 'events', 'features', 'services'].includes(meta.input),
      `meta.input: expected usage, events, features or services, got ${JSON.stringify(meta.input)}`,
    );
    demand(['itself', 'by-rank'].includes(meta.decides), `meta.decides: expected itself or by-rank, got ${JSON.stringify(meta.decides)}`);
    demand(['client', 'population'].includes(meta.scope), `meta.scope: expected client or population, got ${JSON.stringify(meta.scope)}`);
    const width = meta.stateWidth ?? 0;
    demand(Number.isInteger(width) && width >= 0 && width <= 8, `meta.stateWidth: expected 0 to 8, got ${JSON.stringify(width)}`);
    demand(Array.isArray(meta.kinds) && meta.kinds.length > 0, 'meta.kinds: expected at least one kind');
    const kinds: readonly Kind[] = Array.isArray(meta.kinds) ? (meta.kinds as readonly Kind[]) : [];
    demand(new Set(kinds.map((kind) => kind.id)).size === kinds.length, 'meta.kinds: two kinds have the same id');
    return [...mistakes, ...kinds.flatMap(kindMistakes)];
  },
};

/** Stored with every alert and shown in lists: no control characters, no half surrogates. */
function isSentence(text: unknown): boolean {
  return typeof text === 'string' && text.trim().length > 0 && text.length <= LONGEST_TEXT && !/[\p{Cc}\p{Cs}]/u.test(text);
}

function kindMistakes(kind: Kind): string[] {
  const mistakes: string[] = [];
  if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(kind.id)) mistakes.push(`kind ${JSON.stringify(kind.id)}: expected capitals, digits and underscores`);
  if (!isSentence(kind.title)) mistakes.push(`kind ${kind.id}: expected a title of one line, got ${JSON.stringify(kind.title)}`);
  if (!severities.includes(kind.severity))
    mistakes.push(`kind ${kind.id}: expected a severity of ${severities.join(', ')}, got ${JSON.stringify(kind.severity)}`);
  if (kind.escalated !== undefined && severities.indexOf(kind.escalated) <= severities.indexOf(kind.severity)) {
    mistakes.push(`kind ${kind.id}: expected an escalated severity above ${kind.severity}, got ${JSON.stringify(kind.escalated)}`);
  }
  if (!['SIM', 'FLEET', 'CLIENT', 'NETWORK', 'COUNTRY'].includes(kind.subject))
    mistakes.push(`kind ${kind.id}: unknown subject ${JSON.stringify(kind.subject)}`);
  if (!['DAY', 'WEEK', 'BILLING_CYCLE'].includes(kind.window))
    mistakes.push(`kind ${kind.id}: unknown window ${JSON.stringify(kind.window)}`);
  if (!['ANY_TIME', 'CLOSED_DAY'].includes(kind.judged))
    mistakes.push(`kind ${kind.id}: unknown value of judged ${JSON.stringify(kind.judged)}`);
  return mistakes;
}
