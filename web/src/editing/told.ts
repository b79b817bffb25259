/** Whom a plan wants told of what, as its JSON has it: documents of the plan, and of single jobs by their names. */
import type { Obj, Source } from "./plan";

/** Of a plan (`notifications`), or of one job, context and monitor (`notification_details`). */
export type ToldList = "notifications" | "notification_details";

export const toldOf = (source: Source, list: ToldList): Obj[] => source[list] ?? [];

/** One of the documents changed, added behind the last one, or (undefined) taken out. A list without any is left out. */
export function setTold(source: Source, list: ToldList, place: number, next: Obj | undefined): Source {
  const all = [...toldOf(source, list)];
  all.splice(place, 1, ...(next === undefined ? [] : [next]));
  return withTold(source, list, all);
}

function withTold(source: Source, list: ToldList, all: Obj[]): Source {
  const { [list]: _, ...rest } = source;
  return all.length === 0 ? rest : { ...rest, [list]: all };
}

/** Each document in which a name stands has the other one: of a context, the plan itself, or a job. */
function renamed(source: Source, keys: readonly string[], before: string, after: string): Source {
  const change = (one: Obj): Obj => keys.reduce((next, key) => (next[key] === before ? { ...next, [key]: after } : next), one);
  const lists: ToldList[] = ["notifications", "notification_details"];
  return lists.reduce((next, list) => (next[list] === undefined ? next : { ...next, [list]: next[list].map(change) }), source);
}

export const toldInContext = (source: Source, before: string, after: string): Source => renamed(source, ["contextName", "childContextName"], before, after);

/** A job has another name: its documents follow, unless another job has the name of before as well. */
export const toldOfJob = (source: Source, before: string, after: string): Source => renamed(source, ["jobName"], before, after);

/** A job is gone, and nobody else has its name. */
export const toldNoMore = (source: Source, job: string): Source => withTold(source, "notification_details", toldOf(source, "notification_details").filter((one) => one["jobName"] !== job));
