/**
 * Draws cells. Elements are made once and filled anew as rows come into sight; what is already so is not touched.
 * All text goes in as text, whatever it says.
 */
import { ICONS } from '../ui/Icon.svelte';
import type { IconName } from '../ui/Icon.svelte';
import type { AgeCell, Cell, LinkCell, MeterCell, Sign, SignCell, SparkCell, TextCell } from './cells';

const SVG = 'http://www.w3.org/2000/svg';
/** From here on a bar changes its colour; the number beside it says the same. */
const HIGH = 80;
const FULL = 92;

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...inside: Node[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...inside);
  return made;
}

/** A drawing with one line in it. */
function drawing(box: string): { svg: SVGSVGElement; path: SVGPathElement } {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  svg.setAttribute('viewBox', box);
  svg.append(path);
  return { svg, path };
}

/** An icon, as `Icon.svelte` draws it. */
export class PaintedIcon {
  readonly node: SVGSVGElement;
  #path: SVGPathElement;
  #name: IconName | null = null;

  constructor() {
    const { svg, path } = drawing('0 0 20 20');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    this.node = svg;
    this.#path = path;
  }

  set(name: IconName): void {
    if (name === this.#name) return;
    this.#name = name;
    this.#path.setAttribute('d', ICONS[name]);
  }
}

/** A text node that knows what it says. */
class Words {
  readonly node = document.createTextNode('');

  set(text: string): void {
    if (text !== this.node.data) this.node.data = text;
  }
}

/** A class or an attribute is written only where it differs; reading it is cheaper. */
function dress(node: Element, className: string): void {
  if (node.className !== className) node.className = className;
}
function mark(node: Element, name: string, value: string | null): void {
  if (node.getAttribute(name) === value) return;
  if (value === null) node.removeAttribute(name);
  else node.setAttribute(name, value);
}

interface Painter<C extends Cell> {
  /** What to put into the cell. */
  nodes: readonly Node[];
  paint(cell: C): void;
}

class TextPainter implements Painter<TextCell> {
  #words = new Words();
  #box = element('span', '', this.#words.node);
  nodes = [this.#box];

  paint({ text, mono, strong, soft }: TextCell): void {
    this.#words.set(text);
    dress(this.#box, `text${mono ? ' mono' : ''}${strong ? ' strong' : ''}${soft ? ' soft' : ''}`);
  }
}

class PaintedSign {
  #icon = new PaintedIcon();
  #words = new Words();
  #box = element('span', 'badge', this.#icon.node);
  #text = element('span', '', this.#words.node);
  node = element('span', 'sign', this.#box, this.#text);

  set({ icon, tone, text, filled, terse }: Sign): void {
    this.#icon.set(icon);
    this.#words.set(text);
    dress(this.node, `sign ${tone}${filled ? ' filled' : ''}`);
    dress(this.#text, terse ? 'sr-only' : '');
  }
}

class SignPainter implements Painter<SignCell> {
  #sign = new PaintedSign();
  nodes = [this.#sign.node];

  paint({ sign }: SignCell): void {
    this.#sign.set(sign);
  }
}

class LinkPainter implements Painter<LinkCell> {
  #words = new Words();
  #link = element('a', '', this.#words.node);
  #line = element('span', 'line', this.#link);
  #sign: PaintedSign | null = null;
  #flag: { box: HTMLElement; icon: PaintedIcon; words: Words } | null = null;
  #underWords = new Words();
  #under = element('span', 'under', this.#underWords.node);
  nodes = [this.#line, this.#under];

  paint({ text, href, strong, sign, flag, under }: LinkCell): void {
    this.#words.set(text);
    mark(this.#link, 'href', href);
    dress(this.#link, strong ? 'strong' : '');
    if (sign) {
      if (!this.#sign) {
        this.#sign = new PaintedSign();
        this.#line.prepend(this.#sign.node);
      }
      this.#sign.set(sign);
    }
    if (flag && !this.#flag) this.#flag = this.#makeFlag();
    if (this.#flag) {
      this.#flag.box.hidden = !flag;
      if (flag) {
        this.#flag.icon.set(flag.icon);
        this.#flag.words.set(flag.text);
        mark(this.#flag.box, 'title', flag.title);
      }
    }
    this.#underWords.set(under ?? '');
    const nothing = !under && !flag;
    if (this.#under.hidden !== nothing) this.#under.hidden = nothing;
  }

  #makeFlag() {
    const icon = new PaintedIcon();
    const words = new Words();
    const box = element('span', 'flag', icon.node, element('span', 'sr-only', words.node));
    this.#under.prepend(box);
    return { box, icon, words };
  }
}

class MeterPainter implements Painter<MeterCell> {
  #words = new Words();
  #fill = element('span');
  #bar = element('span', 'bar', this.#fill);
  #box = element('span', 'meter', element('span', 'num', this.#words.node), this.#bar);
  nodes = [this.#box];
  #width = -1;

  constructor() {
    this.#bar.setAttribute('role', 'meter');
    this.#bar.setAttribute('aria-valuemin', '0');
    this.#bar.setAttribute('aria-valuemax', '100');
  }

  paint({ percent, text, label, old }: MeterCell): void {
    const width = Math.min(100, Math.max(0, percent ?? 0));
    const level = width >= FULL ? 'full' : width >= HIGH ? 'high' : 'calm';
    this.#words.set(text);
    dress(this.#box, `meter ${percent === null ? 'unknown' : level}${old ? ' aged' : ''}`);
    if (percent === null) return;
    mark(this.#bar, 'aria-label', label);
    if (width === this.#width) return;
    this.#width = width;
    // Drawn by scale, so that nothing is laid out anew.
    this.#fill.style.transform = `scaleX(${width / 100})`;
    this.#bar.setAttribute('aria-valuenow', String(Math.round(width)));
  }
}

class AgePainter implements Painter<AgeCell> {
  #icon = new PaintedIcon();
  #words = new Words();
  #oldWords = new Words();
  #old = element('span', 'sr-only', this.#oldWords.node);
  #box = element('span', 'since num', this.#icon.node, element('span', '', this.#words.node), this.#old);
  nodes = [this.#box];

  constructor() {
    this.#icon.set('clock');
  }

  paint({ text, title, old }: AgeCell): void {
    this.#words.set(text);
    mark(this.#box, 'title', title);
    dress(this.#box, `since num${old ? ' late' : ''}`);
    this.#oldWords.set(old ?? '');
    mark(this.#icon.node, 'hidden', old ? null : '');
  }
}

class SparkPainter implements Painter<SparkCell> {
  nodes: readonly Node[];
  #svg: SVGSVGElement;
  #path: SVGPathElement;

  constructor() {
    const { svg, path } = drawing('0 0 100 30');
    svg.setAttribute('class', 'spark');
    svg.setAttribute('role', 'img');
    svg.setAttribute('preserveAspectRatio', 'none');
    this.#svg = svg;
    this.#path = path;
    this.nodes = [svg];
  }

  paint({ path, label }: SparkCell): void {
    mark(this.#path, 'd', path);
    mark(this.#svg, 'aria-label', label);
  }
}

/** One cell of a drawn row. What it shows may change its kind; mostly it does not. */
export class PaintedCell {
  #as: Cell['as'] | null = null;
  #paint: (cell: Cell) => void = () => undefined;

  constructor(readonly node: HTMLElement) {}

  paint(cell: Cell): void {
    if (cell.as !== this.#as) {
      this.#as = cell.as;
      const painter = painterOf(cell.as);
      this.#paint = (next) => painter.paint(next);
      this.node.replaceChildren(...painter.nodes);
    }
    this.#paint(cell);
  }
}

function painterOf(as: Cell['as']): Painter<Cell> {
  const painters = {
    text: TextPainter,
    link: LinkPainter,
    sign: SignPainter,
    meter: MeterPainter,
    age: AgePainter,
    spark: SparkPainter,
  };
  return new painters[as]() as Painter<Cell>;
}
