/** An evaluation's input as it is being built: columns by name, and beside them, out of the detectors' sight, whose rows they are. */
import type { CategoryColumn, ColumnName } from '../../detector';
import type { Calendar } from './calendar';
import type { Day } from '../days';
import type { SimFacts } from './sim-facts';

/** What is observed: these SIMs of one client on one UTC day. */
export interface ObservationScope {
  readonly clientId: number;
  readonly day: Day;
  readonly closed: boolean;
  readonly incomplete: boolean;
  readonly calendar: Calendar;
  /** In the order of their ids. */
  readonly sims: readonly SimFacts[];
}

export type ColumnValues = Float64Array | CategoryColumn;

export interface Observation {
  readonly rows: number;
  readonly columns: ReadonlyMap<ColumnName, ColumnValues>;
  /** Per row: index into the scope's SIMs. */
  readonly simOfRow: Int32Array;
  /** Per row: the network it was seen in, as MCC-MNC; empty for an input that knows none. */
  readonly networkOfRow: readonly (string | null)[];
  /** Per row: the visited country, ISO 3166-1 alpha-2; absent for an input that knows none. */
  readonly countryOfRow?: readonly (string | null)[];
}

/** The columns of a usage input: one row per SIM, NaN until something is known. */
export class UsageColumns {
  readonly columns = new Map<ColumnName, Float64Array>();
  private readonly rowOfSim: ReadonlyMap<string, number>;

  constructor(readonly scope: ObservationScope) {
    this.rowOfSim = new Map(scope.sims.map((sim, row) => [sim.simId, row]));
  }

  column(name: ColumnName, initially = NaN): Float64Array {
    let values = this.columns.get(name);
    if (!values) {
      values = new Float64Array(this.scope.sims.length).fill(initially);
      this.columns.set(name, values);
    }
    return values;
  }

  /** Fills a column from each row's SIM. */
  fill(name: ColumnName, valueOf: (sim: SimFacts) => number): void {
    const values = this.column(name);
    this.scope.sims.forEach((sim, row) => {
      values[row] = valueOf(sim);
    });
  }

  set(name: ColumnName, simId: string, value: number): void {
    const row = this.rowOfSim.get(simId);
    if (row !== undefined) this.column(name)[row] = value;
  }

  get simIds(): string[] {
    return this.scope.sims.map((sim) => sim.simId);
  }
}

/** Builds a category column; names stand in the order in which the rows first show them. */
export class CategoryBuilder {
  private readonly codes: Int32Array;
  private readonly codeOfName = new Map<string, number>();

  constructor(rows: number) {
    this.codes = new Int32Array(rows).fill(-1);
  }

  set(row: number, name: string | null): void {
    if (name === null) return;
    let code = this.codeOfName.get(name);
    if (code === undefined) {
      code = this.codeOfName.size;
      this.codeOfName.set(name, code);
    }
    this.codes[row] = code;
  }

  column(): CategoryColumn {
    return { codes: this.codes, names: [...this.codeOfName.keys()] };
  }
}
