/**
 * What the page knows of the fleet, and how a frame changes it. Pure: a frame and a fleet in,
 * a fleet out, so that everything shown can be tested without a browser.
 */
import type { Frame, Host, Totals } from '../api/types';

export interface Fleet {
  hosts: ReadonlyMap<string, Host>;
  totals: Totals | null;
  /** When the server last said anything, by its own clock. */
  at: string | null;
}

export const emptyFleet: Fleet = { hosts: new Map(), totals: null, at: null };

/** The fleet after some frames. Frames of kinds it does not know leave it as it is. */
export function applyFrames(fleet: Fleet, frames: readonly Frame[]): Fleet {
  if (frames.length === 0) return fleet;
  let hosts = new Map(fleet.hosts);
  let { totals, at } = fleet;
  for (const frame of frames) {
    at = frame.at;
    switch (frame.type) {
      case 'connected':
        hosts = new Map(frame.data.hosts.map((host) => [host.id, host]));
        totals = frame.data.totals;
        break;
      case 'host:added':
      case 'host:updated':
      case 'host:online':
      case 'host:offline':
        hosts.set(frame.data.id, frame.data);
        break;
      case 'host:removed':
        hosts.delete(frame.data.id);
        break;
      case 'totals:updated':
        totals = frame.data;
        break;
    }
  }
  return { hosts, totals, at };
}

/** Sums kept since the page was opened: an hour of them. */
const MOST_SUMS = 360;

/** The sums of a session with new ones at their end; each observation counts once. */
export function withSums(sums: readonly Totals[], totals: Totals | null): readonly Totals[] {
  if (!totals?.observed_at || sums.at(-1)?.observed_at === totals.observed_at) return sums;
  return [...sums.slice(1 - MOST_SUMS), totals];
}

/** A frame from the wire, or null for what is none. */
export function parseFrame(text: string): Frame | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { type, at, data } = value as Record<string, unknown>;
    if (typeof type !== 'string' || typeof at !== 'string' || typeof data !== 'object' || data === null) {
      return null;
    }
    return value as Frame;
  } catch {
    return null;
  }
}
