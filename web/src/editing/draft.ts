/**
 * What somebody works on: a plan as it is stored and as it is to be, with every step in between, so that each can be taken
 * back. Checked by the dashboard a moment after each change. It stays while the page is open, whatever view is shown.
 */
import { type Signal, signal } from "@preact/signals";
import type { PlanChecked } from "../documents";
import { askOnce } from "../link";
import { type Part, placeOf } from "./places";
import type { Source } from "./plan";

export interface Checked {
  found?: PlanChecked;
  /** Why nothing could be found out. */
  fault?: string;
}

const PAUSE = 400;
const STEPS = 200;

export class Draft {
  readonly source: Signal<Source>;
  readonly checked = signal<Checked>({});
  /** The text of the JSON view while it is no JSON. */
  readonly torn = signal<{ text: string; why: string } | undefined>(undefined);
  readonly part: Signal<Part>;
  readonly past = signal<Source[]>([]);
  readonly future = signal<Source[]>([]);
  /** Of what is stored. */
  readonly startsBefore = signal<string[] | undefined>(undefined);
  private timer = 0;

  constructor(
    readonly before: Source | undefined,
    /** From which version it departs; 0: it is new. */
    readonly version: number,
    source: Source,
  ) {
    this.source = signal(source);
    this.part = signal<Part>({ kind: "context", name: source.plan.name });
    void this.check();
    if (before !== undefined) void ask(before).then(({ found }) => (this.startsBefore.value = found?.nextStarts ?? []));
  }

  get touched(): boolean {
    return this.past.value.length > 0 || this.torn.value !== undefined;
  }

  /** What is looked at and edited from now on. */
  choose(part: Part): void {
    this.part.value = part;
  }

  change(next: Source): void {
    if (next === this.source.value) return;
    this.past.value = [...this.past.value.slice(1 - STEPS), this.source.value];
    this.future.value = [];
    this.show(next);
  }

  undo(): void {
    const last = this.past.value.at(-1);
    if (last === undefined) return;
    this.past.value = this.past.value.slice(0, -1);
    this.future.value = [...this.future.value, this.source.value];
    this.show(last);
  }

  redo(): void {
    const next = this.future.value.at(-1);
    if (next === undefined) return;
    this.future.value = this.future.value.slice(0, -1);
    this.past.value = [...this.past.value, this.source.value];
    this.show(next);
  }

  private show(next: Source): void {
    this.source.value = next;
    this.torn.value = undefined;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.check(), PAUSE);
  }

  private async check(): Promise<void> {
    const source = this.source.value;
    const answer = await ask(source);
    if (this.source.value === source) this.checked.value = answer;
  }

  /** The faults of a part, by the key they are about. */
  faultsAt(wanted: (part: Part) => boolean): Record<string, string[]> {
    const found: Record<string, string[]> = {};
    for (const fault of this.checked.value.found?.faults ?? []) {
      const { part, key } = placeOf(this.source.value, fault);
      if (wanted(part)) (found[key] ??= []).push(fault.message);
    }
    return found;
  }
}

async function ask(source: Source): Promise<Checked> {
  try {
    return { found: await askOnce<PlanChecked>({ ask: "plan.check", source }) };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

/** By the name of the plan; that of a new one is empty. */
export const drafts = new Map<string, Draft>();

addEventListener("beforeunload", (event) => {
  if ([...drafts.values()].some((draft) => draft.touched)) event.preventDefault();
});
