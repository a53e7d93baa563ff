/**
 * The history of one thing as charts show it: asked for in tiles, ahead of where one is going,
 * and kept up to date at its end while the charts follow what is now.
 */
import { untrack } from 'svelte';
import { api } from '../api/client';
import { Problem } from '../api/problem';
import type { Frame } from '../api/types';
import { live } from '../live/live.svelte';
import { splitEntity } from '../facts/entity';
import { stepFor, type Span } from './span';
import { Tiles, covering, pointsOf, tileSpan, type Points, type TileKey } from './tiles';
import type { View } from './view.svelte';

/** Requests under way at once; what is in sight never waits for what is not. */
const AT_ONCE = 2;
/** Figures come every ten seconds; they are asked for when the live line tells of them, or a little later. */
const TAIL_MS = 10_000;
const TAIL_AT_MOST_EVERY_MS = 6000;
/** After a failure, the next attempt. */
const AGAIN_MS = 5000;

const NOTHING: Points = { times: [], metrics: {} };
const timeText = (seconds: number) => new Date(Math.round(seconds) * 1000).toISOString();

export class Past {
  #entity: string;
  #metrics: string;
  #view: View;
  #tiles = new Tiles();
  #underWay: string[] = [];
  #points = $state.raw<Points>(NOTHING);
  #problem = $state.raw<Problem | null>(null);
  #answered = $state(false);
  /** Around what the points were put together. */
  #around: Span | null = null;
  #stopped = false;
  #failedAt = 0;
  #tailAt = 0;

  /** To be made while a component begins. */
  constructor(entity: string, metrics: readonly string[], view: View) {
    this.#entity = entity;
    this.#metrics = metrics.join(',');
    this.#view = view;
    $effect(() => {
      const { span } = view;
      untrack(() => this.#look(span));
    });
    $effect(() => {
      const { id } = splitEntity(entity);
      const isOurs = ({ type, data }: Frame) => type.endsWith(':updated') && 'id' in data && data.id === id;
      const stopListening = live.listen((frames) => {
        if (frames.some(isOurs)) void this.#goOn();
      });
      const timer = setInterval(() => void this.#goOn(), TAIL_MS);
      return () => {
        this.#stopped = true;
        stopListening();
        clearInterval(timer);
      };
    });
  }

  /** All points around what is shown. */
  get points(): Points {
    return this.#points;
  }
  get problem(): Problem | null {
    return this.#problem;
  }
  /** Whether the server has answered at all. */
  get answered(): boolean {
    return this.#answered;
  }

  #look(span: Span): void {
    if (this.#isOutside(span)) this.#compose(span);
    this.#fetch();
  }

  /** Whether a span has left the middle of what the points were put together for, or wants others. */
  #isOutside(span: Span): boolean {
    const around = this.#around;
    if (!around || stepFor(around) !== stepFor(span)) return true;
    return Math.abs(span.to - around.to) > (around.to - around.from) / 2;
  }

  #compose(span: Span): void {
    this.#around = span;
    this.#points = this.#tiles.shown(span);
  }

  #fetch(): void {
    if (this.#stopped || Date.now() - this.#failedAt < AGAIN_MS) return;
    for (const key of this.#tiles.wanted(this.#view.span, this.#view.now)) {
      if (this.#underWay.length >= AT_ONCE) return;
      const name = `${key.step}:${key.index}`;
      if (!this.#underWay.includes(name)) void this.#bring(key, name);
    }
  }

  async #bring(key: TileKey, name: string): Promise<void> {
    this.#underWay.push(name);
    const { from, to } = tileSpan(key);
    const until = Math.min(to, this.#view.now);
    try {
      this.#tiles.put(key, await this.#ask(from, until, key.step), until);
      this.#arrived();
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#done(name);
      this.#fetch();
    }
  }

  /** Brings what is new since the last point. */
  async #goOn(): Promise<void> {
    if (document.hidden || this.#underWay.includes('tail')) return;
    if (!this.#view.following) return this.#fetch();
    if (Date.now() - this.#tailAt < TAIL_AT_MOST_EVERY_MS) return;
    this.#tailAt = Date.now();
    const { now, span } = this.#view;
    const key = covering({ from: now - 1, to: now }, stepFor(span))[0];
    const from = key && this.#tiles.tail(key);
    if (!key || from === null || from === undefined) return this.#fetch();
    this.#underWay.push('tail');
    try {
      this.#tiles.append(key, from, await this.#ask(from, now, key.step), now);
      this.#arrived();
      this.#view.goOn();
    } catch (thrown) {
      this.#failed(thrown);
    } finally {
      this.#done('tail');
    }
  }

  #done(name: string): void {
    this.#underWay = this.#underWay.filter((each) => each !== name);
  }

  async #ask(from: number, to: number, step: number): Promise<Points> {
    const series = await api.history({
      entity: this.#entity,
      metric: this.#metrics,
      from: timeText(from),
      to: timeText(to),
      step: `${step}s`,
    });
    return pointsOf(series);
  }

  #arrived(): void {
    if (this.#stopped) return;
    this.#problem = null;
    this.#answered = true;
    this.#compose(this.#view.span);
  }

  #failed(thrown: unknown): void {
    if (this.#stopped) return;
    this.#failedAt = Date.now();
    this.#problem = Problem.of(thrown);
  }
}
