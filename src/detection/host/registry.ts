/** The detectors of this process, in the order in which they are shown; what the host can't run is refused here, at start. */
import { singleton } from 'tsyringe';
import { CONTRACT_VERSION, isColumnOf, type ColumnName, type Detector } from '../../detector';
import { SimwardenError } from '../../errors';

export type PopulationOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

@singleton()
export class DetectorRegistry {
  private readonly detectors = new Map<string, Detector>();
  private readonly onTrial = new Set<string>();
  private threaded: { readonly code: string; readonly detectors: readonly Detector[] } | null = null;

  private options: PopulationOptions = {};

  /** The module from which a thread gets the built-in population detectors, which it exports as `populationDetectors`. */
  loadsInThreads(code: string, detectors: readonly Detector[]): void {
    this.threaded = { code, detectors };
  }

  /** Options of population detectors, by id, that stand in for their defaults. */
  setPopulationOptions(options: PopulationOptions): void {
    this.options = options;
  }

  populationOptions(id: string): Readonly<Record<string, unknown>> {
    return this.options[id] ?? {};
  }

  get populationCode(): string | null {
    return this.threaded?.code ?? null;
  }

  isInPopulationCode(detector: Detector): boolean {
    return this.threaded?.detectors.includes(detector) ?? false;
  }

  /** Throws where the host can't run the detector, saying why. */
  register(detector: Detector): void {
    const mistake = this.detectors.has(detector.meta.id) ? 'another detector has this id' : whyRefused(detector);
    if (mistake !== undefined) throw new SimwardenError('DETECTOR_REFUSED', { detector: detector.meta.id, what: mistake });
    this.detectors.set(detector.meta.id, detector);
  }

  /** The same for one that raises nothing until somebody configured it. */
  registerOnTrial(detector: Detector): void {
    this.register(detector);
    this.onTrial.add(detector.meta.id);
  }

  all(): readonly Detector[] {
    return [...this.detectors.values()];
  }

  /** Those that look at the whole population once a day, in the order in which they were registered. */
  population(): readonly Detector[] {
    return this.all().filter(({ meta }) => meta.scope === 'population');
  }

  /**
   * How it runs where nobody configured it. Of the population detectors the first speaks; several that say the same would be so many alerts. A partner's
   * watches until an operator has seen what it would have raised.
   */
  defaultMode(id: string): 'ENABLED' | 'SHADOW' {
    if (this.onTrial.has(id)) return 'SHADOW';
    const [first] = this.population();
    return this.find(id)?.meta.scope === 'population' && first?.meta.id !== id ? 'SHADOW' : 'ENABLED';
  }

  find(id: string): Detector | undefined {
    return this.detectors.get(id);
  }

  /** The detector, or UNKNOWN_DETECTOR with the ids there are. */
  get(id: string): Detector {
    const detector = this.detectors.get(id);
    if (!detector) throw new SimwardenError('UNKNOWN_DETECTOR', { given: id, known: [...this.detectors.keys()].join(', ') }, ['detector']);
    return detector;
  }
}

function whyRefused({ meta }: Detector): string | undefined {
  const contract: number = meta.contract;
  if (contract !== CONTRACT_VERSION) return `expected contract ${CONTRACT_VERSION}, got ${contract}`;
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(meta.id)) return 'its id must match [a-z][a-z0-9-]{0,63}';
  const mistake = meta.scope === 'population' ? whyNotPopulation(meta) : whyNotClient(meta);
  if (mistake !== undefined) return mistake;
  if ((meta.stateWidth ?? 0) !== 0) return 'it carries state from day to day (stateWidth); this version stores none: declare 0';
  if (meta.kinds.length === 0) return 'it declares no kind';
  if (new Set(meta.kinds.map((kind) => kind.id)).size !== meta.kinds.length) return 'it declares a kind twice';
  const kind = meta.kinds.find(({ id }) => !/^[A-Z][A-Z0-9_]{0,63}$/.test(id));
  if (kind) return `its kind "${kind.id}" must match [A-Z][A-Z0-9_]{0,63}`;
  const foreign = meta.needs.find((name: ColumnName) => !isColumnOf(name, meta.input));
  if (foreign !== undefined) return `the input "${meta.input}" has no column "${foreign}"`;
  return undefined;
}

function whyNotClient({ decides }: Detector['meta']): string | undefined {
  if (decides !== 'itself') return 'it decides by rank; detectors of one client at a time decide themselves';
  return undefined;
}

function whyNotPopulation({ input, decides, kinds }: Detector['meta']): string | undefined {
  if (input !== 'features') return `its input is "${input}"; detectors of the population look at features`;
  if (decides !== 'by-rank') return 'it decides itself; detectors of the population decide by rank';
  if (kinds.length !== 1 || kinds[0]?.subject !== 'SIM') return 'a detector of the population declares one kind, whose subject is a SIM';
  return undefined;
}
