/** What stands in a cell, in data: few kinds, so that a row can be drawn anew in no time. */
import type { IconName } from '../ui/Icon.svelte';

export type Tone = 'plain' | 'soft' | 'ok' | 'warn' | 'bad';

/** A state: an icon, its colour, and its word, which may be for screen readers alone. */
export interface Sign {
  icon: IconName;
  tone: Tone;
  text: string;
  /** On a ground of its colour. */
  filled?: boolean;
  terse?: boolean;
}

export interface TextCell {
  as: 'text';
  text: string;
  mono?: boolean;
  strong?: boolean;
  soft?: boolean;
}
export interface LinkCell {
  as: 'link';
  text: string;
  href: string;
  strong?: boolean;
  /** Before the link. */
  sign?: Sign;
  /** A small sign on the second line: its word, and what is to be said besides. */
  flag?: { icon: IconName; text: string; title: string } | undefined;
  /** A second line. */
  under?: string;
}
export interface SignCell {
  as: 'sign';
  sign: Sign;
}
/** A bar with its figure. */
export interface MeterCell {
  as: 'meter';
  /** From 0 to 100, or null where it is not known. */
  percent: number | null;
  text: string;
  /** What is measured, for those who cannot see the bar. */
  label: string;
  old: boolean;
}
export interface AgeCell {
  as: 'age';
  text: string;
  title: string;
  /** Its word where the figures are old. */
  old: string | null;
}
/** A small line of what was. */
export interface SparkCell {
  as: 'spark';
  path: string;
  /** The line in words. */
  label: string;
}
export type Cell = TextCell | LinkCell | SignCell | MeterCell | AgeCell | SparkCell;
