/** What the back-tests try: partners' packages in folders, and detectors of inputs that those don't read. */
import type { Detector } from '../../../src/detector';
import { partnerSource, writePartner } from './hostile-partners';
import { tinyDetector } from './tiny-detector';

/** `acme-limit` fires above its option, `acme-exits` dies of what the other fires on; answers their folders. */
export function writeTriedPartners(root: string): string[] {
  const options = `options: { type: 'object', additionalProperties: false, properties: {
    limitBytes: { type: 'number', default: 100, minimum: 1, description: 'Bytes of a day that alarm.' } } },`;
  const limited = partnerSource('acme-limit')
    .replace(/options: \{.*\}, decides/, `${options} decides`)
    .replace('detect(input, context) {', 'detect(input, context) { const limit = context.options.limitBytes;')
    .replace(
      'return well(input);',
      'return { ...well(input), fires: Uint8Array.from(input.columns.dayBytes, (bytes) => (bytes > limit ? 1 : 0)) };',
    );
  return [
    writePartner(root, 'acme-limit', '', { 'index.js': limited }),
    writePartner(root, 'acme-exits', 'if (input.columns.dayBytes.some((bytes) => bytes > 100)) process.exit(1)'),
  ];
}

const countries = tinyDetector('tried-services', ['serviceDialogues', 'serviceSuccesses'], { subject: 'COUNTRY' }, () => ({ fires: 0 }));
const failures: Detector = {
  ...countries,
  meta: { ...countries.meta, input: 'services' },
  detect: ({ rows, columns }) => ({
    scores: Float64Array.from({ length: rows }, (_, row) => columns.serviceDialogues[row]! - columns.serviceSuccesses[row]!),
    fires: Uint8Array.from({ length: rows }, (_, row) => (columns.serviceSuccesses[row]! < columns.serviceDialogues[row]! ? 1 : 0)),
  }),
};

export const triedDetectors: readonly Detector[] = [
  tinyDetector('tried-events', ['eventCount'], {}, (at) => ({ fires: at('eventCount') > 10 ? 1 : 0 }), 'events'),
  failures,
  { ...tinyDetector('tried-throws', ['dayBytes'], {}, () => ({ fires: 0 })), detect: () => Promise.reject(new RangeError('no luck')) },
];
