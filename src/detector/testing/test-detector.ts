/** Binds the kit to any test runner that has `describe` and `it`. */
import type { ColumnName } from '../columns';
import type { Detector } from '../contract';
import { checks } from './checks';
import { clausesOf } from './clauses';
import { prepareChecks, type CheckOptions } from './check-detector';

export interface TestOptions extends CheckOptions {
  readonly describe: (name: string, tests: () => void) => void;
  readonly it: (name: string, test: () => Promise<void>) => void;
}

/** One test per check; a failing one says what to change. */
export function testDetector<Columns extends ColumnName, Options>(detector: Detector<Columns, Options>, options: TestOptions): void {
  const run = prepareChecks(detector, options);
  options.describe(`${detector.meta.id} keeps the detector contract`, () => {
    for (const check of checks) {
      options.it(`${check.id} (${clausesOf(check.id)}): ${check.title}`, async () => {
        const { outcome, messages } = await run(check);
        if (outcome === 'failed') throw new Error(`${check.id} (${clausesOf(check.id)}): ${messages.join('\n')}`);
      });
    }
  });
}
