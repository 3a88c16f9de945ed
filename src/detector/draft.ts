/** Writing a detection row by row, so that a detector never computes `row × kinds + kind` by hand. */
import type { ColumnName } from './columns';
import type { Detection, DetectorInput, Kind } from './contract';

type Rows = Pick<DetectorInput<ColumnName>, 'rows' | 'wasFiring' | 'consecutiveWindows'>;
type Abstention = NonNullable<Detection['abstained']>[number];

/** A detection under way: every row scores 0 and does not fire until told otherwise. */
export class DetectionDraft {
  private readonly scores: Float64Array;
  private readonly fires: Uint8Array;
  private readonly abstained: Abstention[] = [];

  constructor(
    private readonly input: Rows,
    private readonly kinds: readonly Kind[],
  ) {
    this.scores = new Float64Array(input.rows * kinds.length);
    this.fires = new Uint8Array(input.rows * kinds.length);
  }

  /** The draft's view on one kind; throws where the detector declares no such kind. */
  kind(id: string): KindDraft {
    const index = this.kinds.findIndex((kind) => kind.id === id);
    if (index < 0) throw new Error(`expected one of the declared kinds ${this.kinds.map((kind) => kind.id).join(', ')}, got ${id}`);
    return new KindDraft(this.input, id, index, this.kinds.length, this.scores, this.fires, this.abstained);
  }

  detection(): Detection {
    return { scores: this.scores, fires: this.fires, abstained: this.abstained };
  }
}

/** One kind of a detection under way. */
export class KindDraft {
  constructor(
    private readonly input: Rows,
    private readonly id: string,
    private readonly index: number,
    private readonly width: number,
    private readonly scores: Float64Array,
    private readonly fires: Uint8Array,
    private readonly abstained: Abstention[],
  ) {}

  /** The row was judged; `fires`: 0 no, 1 yes, 2 escalated. */
  judge(row: number, score: number, fires: 0 | 1 | 2): void {
    const cell = row * this.width + this.index;
    this.scores[cell] = score;
    this.fires[cell] = fires;
  }

  /** The row can't be judged: its score becomes NaN, and it neither raises nor clears an alert. */
  abstain(row: number, reason: string): void {
    this.judge(row, NaN, 0);
    this.abstained.push({ row, kind: this.id, reason });
  }

  /** Whether the kind was firing for the row's subject in the last closed window. */
  wasFiring(row: number): boolean {
    return this.input.wasFiring[row * this.width + this.index] === 1;
  }

  /** For how many consecutive closed windows before this one it fired. */
  consecutiveWindows(row: number): number {
    return this.input.consecutiveWindows[row * this.width + this.index] ?? 0;
  }
}
