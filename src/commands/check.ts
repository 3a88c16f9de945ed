/** `simwarden check`: holds a detector's package against the contract, clause by clause, and says what to change. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Table from 'cli-table3';
import { Config } from '../config';
import { fenceCheck, findPartnerPackage, importDetector, importModule, resolveContract, unwrapped } from '../detection/fence';
import { checkDetector, clausesOf, type CheckOptions, type CheckResult } from '../detector/testing';
import { SimwardenError } from '../errors';

const signs: Record<CheckResult['outcome'], string> = { passed: 'ok', failed: 'FAILED', skipped: '–', 'failed as expected': 'expected' };

/** Answers the exit code: 0 where nothing failed that was not expected to. */
export async function checkPlugin(given: string, config: Config, write: (text: string) => void): Promise<number> {
  const { detector, fleets } = await loaded(given);
  const ofTheKit = Object.entries(fleets.expectedFailures ?? {}).filter(([check]) => check !== 'fenced');
  const results = [
    ...(await checkDetector(detector, { ...fleets, expectedFailures: Object.fromEntries(ofTheKit) })),
    await fenceCheck(given, detector, fleets, config.partnerMemoryMegabytes),
  ];
  write(`${tableOf(results)}\n`);
  const count = (outcome: CheckResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const { id, version } = detector.meta;
  write(
    `${id} ${version}: ${results.length} checks, ${count('passed')} passed, ${count('failed')} failed, ${count('failed as expected')} failed as expected, ${count('skipped')} skipped\n`,
  );
  return count('failed') === 0 ? 0 : 1;
}

/** Runs the author's code in this process: it is theirs. */
async function loaded(given: string): Promise<{ detector: Awaited<ReturnType<typeof importDetector>>; fleets: CheckOptions }> {
  try {
    resolveContract();
    const { directory, entry } = findPartnerPackage(given, process.cwd());
    const detector = await importDetector(entry);
    const fleetsFile = join(dirname(entry), 'check.js');
    if (!existsSync(fleetsFile))
      throw new Error(`there is no ${fleetsFile}: export { quiet, anomalous } there, as a package of simwarden check --new does`);
    const fleets = unwrapped(await importModule(fleetsFile), (exported) => 'quiet' in exported && 'anomalous' in exported);
    if (fleets === undefined) throw new Error(`${fleetsFile} exports no fleets: expected { quiet: […], anomalous: […] }`);
    const readme = join(directory, 'README.md');
    return { detector, fleets: { ...(fleets as CheckOptions), readme: existsSync(readme) ? readFileSync(readme, 'utf8') : '' } };
  } catch (error) {
    throw new SimwardenError('PLUGIN_UNCHECKABLE', { plugin: given, what: inPlace(error as Error) });
  }
}

/** Of a mistake in the syntax Node says the place before the words. */
function inPlace({ message, stack = '' }: Error): string {
  const [, place] = /^(\/[^\n]+:\d+)\n/.exec(stack) ?? [];
  return place === undefined ? message : `${message} (at ${place})`;
}

function tableOf(results: readonly CheckResult[]): string {
  const table = new Table({
    head: ['check', 'clause', '', 'what to change, or why'],
    style: { head: [], border: [] },
    colWidths: [null, null, null, 80],
    wordWrap: true,
  });
  for (const { id, outcome, messages } of results) table.push([id, clausesOf(id), signs[outcome], messages.join('\n')]);
  return table.toString();
}
