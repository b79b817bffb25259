/** When running instances are likely to end, as the dashboard estimates it from past runs: asked again as they go on. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { InstanceStatus, JobStatus } from "./documents";
import { askOnce } from "./link";
import { forbidden } from "./rights";
import type { words } from "./words";

export interface Expected {
  context: string;
  job: string;
  name: string;
  order: number;
  status: JobStatus;
  starts?: string;
  ends?: string;
  endsLate?: string;
  measured?: number;
}

export interface Deadline {
  monitor: keyof typeof words.estimate.hasTo;
  at: string;
  state: keyof typeof words.estimate.deadline;
  context?: string;
  job?: string;
  /** Of the job; left out: it is the plan's own. */
  name?: string;
}

export interface Estimated {
  at: string;
  ends?: string;
  endsLate?: string;
  closes?: string;
  path?: Expected[];
  stuck?: { context: string; job: string; name: string; why: string }[];
  unmeasured?: number;
  jobs?: Expected[];
  deadlines?: Deadline[];
}

/** By instance. What could not be had is not there. */
export const estimates = signal<ReadonlyMap<string, Estimated>>(new Map());

/** Milliseconds between two questions about one instance, whatever happens in it. */
const LEAST = 3000;
const AGAIN = 30_000;
/** So many instances of a list are asked about. */
const MOST = 25;
const asked = new Map<string, number>();

async function estimate(instance: string, each: boolean): Promise<void> {
  const request = { ask: "instance.estimate", instance, each };
  if (forbidden(request) !== "" || Date.now() - (asked.get(instance) ?? 0) < LEAST) return;
  asked.set(instance, Date.now());
  const found = await askOnce<Estimated>(request).catch(() => undefined);
  // Others have been answered meanwhile.
  const next = new Map(estimates.value);
  if (found === undefined) next.delete(instance);
  else next.set(instance, found);
  estimates.value = next;
}

/** With every job; asked again whenever the instance has moved, and now and then. */
export function useEstimate(one: InstanceStatus | undefined): Estimated | undefined {
  const moves = one !== undefined && one.status !== "ENDED";
  const id = one?.instance ?? "";
  const revision = one === undefined ? "" : `${one.epoch} ${one.revision}`;
  useEffect(() => {
    if (!moves) return undefined;
    const wait = Math.max(0, LEAST - (Date.now() - (asked.get(id) ?? 0)));
    const soon = setTimeout(() => void estimate(id, true), wait);
    const later = setInterval(() => void estimate(id, true), AGAIN);
    return () => {
      clearTimeout(soon);
      clearInterval(later);
    };
  }, [id, moves, revision]);
  return moves ? estimates.value.get(id) : undefined;
}

/** Of those that run, the first ones. */
export function useEstimates(all: InstanceStatus[]): void {
  const wanted = all.filter((one) => one.status === "RUNNING").slice(0, MOST).map((one) => one.instance);
  const key = wanted.join("\n");
  useEffect(() => {
    const ask = (): void => wanted.forEach((id) => void estimate(id, false));
    ask();
    const again = setInterval(ask, AGAIN);
    return () => clearInterval(again);
  }, [key]);
}
