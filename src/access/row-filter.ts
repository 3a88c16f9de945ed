/** The WHERE of a list: conditions that are there only where they were asked for, so each combination meets its index. */

export class RowFilter {
  readonly parameters: unknown[] = [];
  private readonly conditions: string[] = [];

  /** Adds a condition; each `?` in it becomes the next value's parameter. */
  and(condition: string, ...values: readonly unknown[]): this {
    let next = 0;
    this.conditions.push(condition.replace(/\?/g, () => this.parameter(values[next++])));
    return this;
  }

  /** Adds a value and answers its placeholder. */
  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  /** `WHERE …`, or nothing where every row is meant. */
  get where(): string {
    return this.conditions.length === 0 ? '' : `WHERE ${this.conditions.join(' AND ')}`;
  }
}
