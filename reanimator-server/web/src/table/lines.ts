/**
 * The drawn lines of a large table. Of tens of thousands only those in sight are in the document: as the page is
 * scrolled, the same elements are filled with other lines. A line that has the focus stays.
 */
import type { Cell } from './cells';
import { Heading, type Lines } from './group';
import { PaintedCell, PaintedIcon, element } from './paint';
import { drawnRows, type Column, type Span } from './table';

/** What is drawn, and how. */
export interface Look<T> {
  lines: Lines<T>;
  columns: readonly Column<T>[];
  key: (row: T) => string;
  cell: (row: T, column: Column<T>) => Cell;
  old: (row: T) => boolean;
  /** Where rows can be ticked: those that are, and what a box is called. */
  chosen: ReadonlySet<string> | null;
  boxLabel: (row: T) => string;
}

/** What is told. */
export interface Ears<T> {
  /** A box was clicked, by a person who may hold the shift key. */
  ontick: (line: number, shift: boolean) => void;
  onfold: (group: string) => void;
  /** Which rows are drawn now. */
  ondrawn: (rows: readonly T[]) => void;
}

class DrawnRow<T> {
  readonly node = element('tr', 'line');
  readonly #box: HTMLInputElement | null = null;
  readonly #cells: PaintedCell[];

  constructor(columns: readonly Column<T>[], ticks: boolean) {
    this.node.setAttribute('role', 'row');
    if (ticks) {
      this.#box = element('input');
      this.#box.type = 'checkbox';
      const cell = element('td', 'tick', this.#box);
      cell.setAttribute('role', 'cell');
      this.node.append(cell);
    }
    this.#cells = columns.map(({ id, numeric, meter }, place) => {
      const figures = numeric ? (meter ? ' num' : ' num numeric') : '';
      const node = element(place === 0 ? 'th' : 'td', id + figures);
      node.setAttribute('role', place === 0 ? 'rowheader' : 'cell');
      this.node.append(node);
      return new PaintedCell(node);
    });
  }

  paint(row: T, { columns, key, cell, old, chosen, boxLabel }: Look<T>): void {
    const picked = chosen?.has(key(row)) ?? false;
    const name = `line${old(row) ? ' old' : ''}${picked ? ' chosen' : ''}`;
    if (this.node.className !== name) this.node.className = name;
    if (this.#box) {
      this.#box.checked = picked;
      this.#box.setAttribute('aria-label', boxLabel(row));
    }
    columns.forEach((column, place) => this.#cells[place]?.paint(cell(row, column)));
  }
}

class DrawnHeading {
  readonly node = element('tr', 'group');
  readonly #icon = new PaintedIcon();
  readonly #title = element('strong');
  readonly #sums = element('span', 'soft num');
  readonly #button = element('button', '', this.#icon.node, this.#title, this.#sums);

  constructor(columns: number) {
    this.#button.type = 'button';
    const cell = element('th', '', this.#button);
    cell.colSpan = columns;
    cell.setAttribute('role', 'rowheader');
    cell.setAttribute('aria-colspan', String(columns));
    this.node.setAttribute('role', 'row');
    this.node.append(cell);
  }

  paint({ title, sums, open }: Heading): void {
    this.#icon.set(open ? 'open' : 'closed');
    this.#title.textContent = title;
    this.#sums.textContent = sums;
    this.#button.setAttribute('aria-expanded', String(open));
  }
}

interface Slot<T> {
  drawn: DrawnRow<T> | DrawnHeading;
  key: string;
  line: number;
}

export class DrawnLines<T> {
  #body: HTMLTableSectionElement;
  #ears: Ears<T>;
  #look: Look<T> | null = null;
  #row = 0;
  #span: Span = { from: 0, to: 0 };
  #slots = new Map<string, Slot<T>>();
  /** As high as all lines before the first that is drawn. A line of its own, so that what is around is not laid out. */
  #gap = element('tr', 'gap');
  #form = '';

  constructor(body: HTMLTableSectionElement, ears: Ears<T>) {
    this.#body = body;
    this.#ears = ears;
    this.#gap.setAttribute('aria-hidden', 'true');
    addEventListener('scroll', this.#onscroll, { passive: true });
    addEventListener('resize', this.#onresize);
    body.addEventListener('click', this.#onclick);
    body.addEventListener('pointerover', tellWhole);
  }

  /** Leaves the page. */
  end(): void {
    removeEventListener('scroll', this.#onscroll);
    removeEventListener('resize', this.#onresize);
  }

  /** Draws what is in sight of something new, or of the same with other figures. */
  draw(look: Look<T>): void {
    const form = `${look.columns.map(({ id }) => id).join(' ')} ${look.chosen !== null}`;
    if (form !== this.#form) {
      this.#form = form;
      this.#slots.clear();
      this.#body.replaceChildren(this.#gap);
    }
    this.#look = look;
    this.#measure();
    this.#place(true);
  }

  #measure(): void {
    this.#row = ROW_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
    const height = `${(this.#look?.lines.at.length ?? 0) * this.#row}px`;
    if (this.#body.style.height !== height) this.#body.style.height = height;
  }

  #onresize = (): void => {
    this.#measure();
    this.#place(true);
  };
  #onscroll = (): void => this.#place(false);

  #place(anew: boolean): void {
    const look = this.#look;
    if (!look) return;
    const above = -this.#body.getBoundingClientRect().top;
    const span = drawnRows(look.lines.at.length, above, this.#row, innerHeight);
    if (!anew && span.from === this.#span.from && span.to === this.#span.to) return;
    this.#span = span;
    this.#fill(look, anew);
    this.#ears.ondrawn(this.#inSight(look));
  }

  #inSight({ lines }: Look<T>): T[] {
    return lines.at.slice(this.#span.from, this.#span.to).filter((line) => !(line instanceof Heading)) as T[];
  }

  /**
   * Gives every line in sight an element. Elements stay where they are and are filled anew, which is far cheaper
   * than moving them; but while one has the focus, lines keep the elements they have.
   */
  #fill(look: Look<T>, anew: boolean): void {
    const wanted = this.#wanted(look);
    const kept = new Set(this.#focused() ? wanted.map(({ key }) => key) : []);
    const free = { row: [] as Slot<T>[], heading: [] as Slot<T>[] };
    for (const slot of [...this.#slots.values()].sort((a, b) => b.line - a.line)) {
      if (!kept.has(slot.key)) free[slot.drawn instanceof DrawnHeading ? 'heading' : 'row'].push(slot);
    }
    const slots = wanted.map(({ key, line }): Slot<T> => {
      const heading = look.lines.at[line] instanceof Heading;
      const known = kept.has(key) ? this.#slots.get(key) : undefined;
      const slot = known ??
        free[heading ? 'heading' : 'row'].pop() ?? { drawn: this.#make(look, heading), key: '', line };
      if (anew || slot.key !== key || slot.line !== line) this.#paint(slot, line, look);
      slot.key = key;
      return slot;
    });
    for (const { drawn } of [...free.row, ...free.heading]) drawn.node.remove();
    this.#slots = new Map(slots.map((slot) => [slot.key, slot]));
    this.#arrange(slots.map(({ drawn }) => drawn.node));
    this.#shift(slots);
  }

  /** The lines in sight, and the one that has the focus wherever it is. */
  #wanted({ lines, key }: Look<T>): { key: string; line: number }[] {
    const { from, to } = this.#span;
    const found: { key: string; line: number }[] = [];
    const add = (line: number) => {
      const each = lines.at[line];
      if (each === undefined) return;
      const own = each instanceof Heading ? 'heading' : key(each);
      found.push({ key: lines.group ? `${lines.group[line]}\n${own}` : own, line });
    };
    for (let line = from; line < to; line += 1) add(line);
    const focused = this.#focused();
    if (focused && (focused.line < from || focused.line >= to)) {
      add(focused.line);
      const last = found.at(-1);
      if (last?.line === focused.line && last.key !== focused.key) found.pop();
      else if (last && last.line < from) found.unshift(...found.splice(-1));
    }
    return found;
  }

  #make(look: Look<T>, heading: boolean): DrawnRow<T> | DrawnHeading {
    const columns = look.columns.length + (look.chosen ? 1 : 0);
    return heading ? new DrawnHeading(columns) : new DrawnRow(look.columns, look.chosen !== null);
  }

  #paint(slot: Slot<T>, line: number, look: Look<T>): void {
    const { drawn } = slot;
    slot.line = line;
    drawn.node.setAttribute('aria-rowindex', String(line + 2));
    const each = look.lines.at[line];
    if (each === undefined) return;
    if (each instanceof Heading) {
      if (drawn instanceof DrawnHeading) drawn.paint(each);
    } else if (drawn instanceof DrawnRow) drawn.paint(each, look);
  }

  /**
   * Lines follow each other below a gap as high as those that are not drawn: one style changes, not one for each.
   * A line that has the focus and is out of sight stands where it belongs by itself.
   */
  #shift(slots: readonly Slot<T>[]): void {
    const { from, to } = this.#span;
    const gap = `${from * this.#row}px`;
    if (this.#gap.style.height !== gap) this.#gap.style.height = gap;
    for (const { drawn, line } of slots) {
      const alone = line < from || line >= to;
      if (!alone && !drawn.node.style.position) continue;
      drawn.node.style.position = alone ? 'absolute' : '';
      drawn.node.style.top = alone ? `${line * this.#row}px` : '';
    }
  }

  /** Elements in the order of their lines; the one that has the focus is not moved, as it would lose it. */
  #arrange(nodes: readonly HTMLElement[]): void {
    const focused = this.#focused()?.drawn.node;
    let next = this.#gap.nextSibling;
    for (const node of nodes) {
      while (node === focused && next && next !== node) {
        const moved: ChildNode = next;
        next = next.nextSibling;
        this.#body.append(moved);
      }
      if (node === next) next = next.nextSibling;
      else this.#body.insertBefore(node, next);
    }
  }

  #focused(): Slot<T> | undefined {
    const active = document.activeElement;
    return active && this.#body.contains(active) ? this.#slotOf(active) : undefined;
  }

  #slotOf(inside: Element): Slot<T> | undefined {
    const node = inside.closest('tr');
    for (const slot of this.#slots.values()) if (slot.drawn.node === node) return slot;
    return undefined;
  }

  #onclick = (event: MouseEvent): void => {
    const target = event.target instanceof Element ? event.target : null;
    const slot = target ? this.#slotOf(target) : undefined;
    const line = slot && this.#look?.lines.at[slot.line];
    if (!target || !slot || line === undefined) return;
    if (line instanceof Heading) {
      if (target.closest('button')) this.#ears.onfold(line.group);
    } else if (target.closest('.tick')) {
      if (event.shiftKey) getSelection()?.removeAllRanges();
      this.#ears.ontick(slot.line, event.shiftKey);
    }
  };
}

/** A text that has not enough room is told whole to whoever points at it. */
function tellWhole({ target }: Event): void {
  const text = target instanceof Element ? target.closest<HTMLElement>('.text, a') : null;
  const cell = text?.closest('td, th');
  if (!text || !cell) return;
  const cut = cell.scrollWidth > cell.clientWidth || text.scrollWidth > text.clientWidth;
  if (cut) text.title = text.textContent ?? '';
  else text.removeAttribute('title');
}

/** How high a line is; the style says the same. */
export const ROW_REM = 3;
