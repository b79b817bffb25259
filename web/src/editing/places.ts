/** Where a fault is: which part of a plan its path names, and which line of the JSON. */
import type { Fault } from "../documents";
import type { Context, Source } from "./plan";
import { contextsOf, idOf } from "./source";
import { type ToldList, toldOf } from "./told";

/** What can be chosen in the editor. */
export type Part = { kind: "context"; name: string } | { kind: "job"; id: string; context: string } | { kind: "lock"; context: string; name: string };

export interface Place {
  part: Part;
  /** The key in it, such as `timeWindowStart`; empty: none in particular. */
  key: string;
}

export const keyOf = (part: Part): string => (part.kind === "job" ? `job\n${part.id}` : part.kind === "lock" ? `lock\n${part.context}\n${part.name}` : `context\n${part.name}`);

type Step = string | number;

/** The steps of a JSON path: `$.plan.contexts[0]["a b"]`. */
export function stepsOf(path: string): Step[] {
  const found: Step[] = [];
  for (const [, name, index, quoted] of path.matchAll(/\.([A-Za-z_][A-Za-z0-9_]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g)) {
    if (name !== undefined) found.push(name);
    else if (index !== undefined) found.push(Number(index));
    else found.push(JSON.parse(quoted ?? '""') as string);
  }
  return found;
}

const FOLDERS: Record<string, string> = { internal: "internalEventDrivenJob", quartz: "quartzScheduleDrivenJob", file: "fileEventDrivenJob", global: "globalEventJob" };

interface Named {
  job?: number;
  /** A document of notifications, by list and place. */
  told?: [ToldList, number];
  steps: Step[];
}

const TOLD: Record<string, ToldList> = { notification: "notifications", notification_details: "notification_details" };

/** A fault's path without the file it may name: that of a job's artefact by its place in the list. */
function named(source: Source, path: string): Named {
  const at = path.indexOf("$");
  const file = (at < 0 ? path : path.slice(0, at)).trim();
  const steps = at < 0 ? [] : stepsOf(path.slice(at));
  const [, list = "", place] = /^(notification|notification_details)\/(\d+)$/.exec(file) ?? [];
  if (TOLD[list] !== undefined) return { told: [TOLD[list], Number(place)], steps };
  const [, folder = "", name] = /^jobs\/([^/]+)\/(.*?)(?:\.json)?$/.exec(file) ?? [];
  if (name === undefined) return { steps };
  const job = (source.jobs ?? []).findIndex((one) => one.jobName === name && one.type === FOLDERS[folder]);
  return job < 0 ? { steps } : { job, steps };
}

export function placeOf(source: Source, fault: Fault): Place {
  const { job, told, steps } = named(source, fault.path);
  const key = (from: number): string => (typeof steps[from] === "string" ? steps[from] : "");
  if (told !== undefined) return toldAt(source, told, key(0));
  const artefact = job === undefined ? undefined : source.jobs?.[job];
  if (artefact !== undefined) return { part: { kind: "job", id: idOf(artefact), context: "" }, key: key(0) };
  let context: Context = source.plan;
  let next = steps[0] === "plan" ? 1 : 0;
  while (steps[next] === "contexts" && context.contexts?.[Number(steps[next + 1])] !== undefined) {
    context = context.contexts[Number(steps[next + 1])] as Context;
    next += 2;
  }
  const index = Number(steps[next + 1]);
  const here: Place = { part: { kind: "context", name: context.name }, key: key(next) };
  if (steps[next] === "jobDependencies") {
    const id = context.jobDependencies?.[index]?.jobIdentifier;
    const isThere = context.scheduledJobs?.some((ref) => idOf(ref) === id) === true;
    return id !== undefined && isThere ? { part: { kind: "job", id, context: context.name }, key: "jobDependencies" } : here;
  }
  if (steps[next] === "scheduledJobs") {
    const ref = context.scheduledJobs?.[index];
    return ref === undefined ? here : { part: { kind: "job", id: idOf(ref), context: context.name }, key: key(next + 2) };
  }
  if (steps[next] === "jobLocks") {
    const lock = context.jobLocks?.[index];
    return lock === undefined ? here : { part: { kind: "lock", context: context.name, name: lock.name }, key: key(next + 2) };
  }
  return here;
}

/** Of a job: where it stands; of the plan, or a job that is not there: at the plan. */
function toldAt(source: Source, [list, place]: [ToldList, number], key: string): Place {
  const name = list === "notifications" ? undefined : toldOf(source, list)[place]?.["jobName"];
  const ref = contextsOf(source.plan).flatMap(({ context }) => context.scheduledJobs ?? []).find((one) => one.jobName === name);
  const part: Part = ref === undefined ? { kind: "context", name: source.plan.name } : { kind: "job", id: idOf(ref), context: "" };
  return { part, key: `${list}.${place}.${key}` };
}

/** First and last character, in the text of the whole source, of what a fault is about, or of the nearest thing around it. */
export function rangeOf(source: Source, text: string, fault: Fault): [number, number] {
  const { job, told, steps } = named(source, fault.path);
  if (told !== undefined) return find(text, [...told, ...steps]);
  const inside = steps[0] === "plan" ? steps : ["plan", ...steps];
  return find(text, job === undefined ? inside : ["jobs", job, ...steps]);
}

export const lineOf = (text: string, place: number): number => text.slice(0, place).split("\n").length;

/** Walks JSON along a path as far as it leads. The text has been parsed before, so that it is well formed. */
function find(text: string, path: Step[]): [number, number] {
  let at = 0;
  const token = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|([^\s{}[\],:"]+))/y;
  const read = (): string => {
    token.lastIndex = at;
    const [whole = "", mark, string, other] = token.exec(text) ?? [];
    at = whole === "" ? text.length : token.lastIndex;
    return mark ?? string ?? other ?? "";
  };
  const peek = (): string => {
    const before = at;
    const found = read();
    at = before;
    return found;
  };
  const skip = (): void => {
    let depth = 0;
    do {
      const found = read();
      if (found === "{" || found === "[") depth += 1;
      else if (found === "}" || found === "]") depth -= 1;
      else if (found === "") return;
    } while (depth > 0);
  };
  const enter = (step: Step): boolean => {
    const open = peek();
    if (open !== "{" && open !== "[") return false;
    read();
    for (let index = 0; peek() !== "" && peek() !== "}" && peek() !== "]"; index += 1) {
      const name = open === "{" ? (JSON.parse(read()) as string) : index;
      if (open === "{") read();
      if (name === step) return true;
      skip();
      if (peek() === ",") read();
    }
    return false;
  };
  let best: [number, number] = [0, 0];
  for (const step of [undefined, ...path]) {
    if (step !== undefined && !enter(step)) break;
    const begin = at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);
    skip();
    best = [begin, at];
    at = begin;
  }
  return best;
}
