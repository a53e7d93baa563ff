/** A column of a small table of facts. */
export interface FactColumn<T> {
  title: string;
  text: (row: T) => string | null | undefined;
  numeric?: boolean;
  mono?: boolean;
  /** Whether what stands there is bad, or soon will be. */
  level?: (row: T) => Level | null;
  /** Where it leads. */
  href?: (row: T) => string | null;
}

/** Whether a text holds a word so long that a column has to break it. */
export function isLong(text: string): boolean {
  return text.split(/\s/).some((word) => word.length > 28);
}

export type Level = 'bad' | 'warn' | 'ok';

/** The columns in which any row has something to say: an empty column tells nobody anything. */
export function tellingColumns<T>(columns: readonly FactColumn<T>[], rows: readonly T[]): FactColumn<T>[] {
  return columns.filter((column, index) => index === 0 || rows.some((row) => Boolean(column.text(row))));
}
