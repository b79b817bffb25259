/** What can be changed in a plan with its jobs. Nothing here changes in place: each change gives a new one. */
import type { Grouping, Operator } from "../documents";
import type { Artefact, Context, Lock, Obj, Ref, Source } from "./plan";
import { toldInContext, toldNoMore, toldOfJob } from "./told";

/** The agent names that stand for the dashboard itself, by kind. */
export const DASHBOARD_AGENTS: Record<string, string> = {
  global: "GLOBAL_EVENT",
  local: "LOCAL_EVENT_JOB",
  contextStart: "CONTEXT_START_JOB",
  contextTerminal: "CONTEXT_TERMINAL_JOB",
  bridging: "BRIDGING_JOB",
};

export const TYPES: Record<string, string> = {
  command: "internalEventDrivenJob",
  clock: "quartzScheduleDrivenJob",
  file: "fileEventDrivenJob",
  global: "globalEventJob",
};

export const KINDS = ["command", "clock", "file", "global", "local", "contextStart", "contextTerminal", "bridging"] as const;
export type KindOfJob = (typeof KINDS)[number];

export const isSource = (value: unknown): value is Source => typeof value === "object" && value !== null && typeof (value as Source).plan === "object" && (value as Source).plan !== null;

export const idOf = ({ agentName, jobName }: { agentName: string; jobName: string }): string => `${agentName}-${jobName}`;

export function fresh(name: string): Source {
  return { plan: { name, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, contextTtlMilliseconds: 86_400_000 }, jobs: [] };
}

/** An object with one value changed; one that is empty is left out, as defaults are. */
export function put<T extends object>(owner: T, key: string, value: unknown): T {
  const next = { ...owner } as Obj;
  const empty = value === undefined || value === "" || value === false || (Array.isArray(value) && value.length === 0) || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  if (empty) delete next[key];
  else next[key] = value;
  return next as T;
}

export interface Placed {
  context: Context;
  parent: string;
  depth: number;
}

export function contextsOf(context: Context, parent = "", depth = 0): Placed[] {
  return [{ context, parent, depth }, ...(context.contexts ?? []).flatMap((child) => contextsOf(child, context.name, depth + 1))];
}

/** Every context changed by `change`, children first. */
export function eachContext(context: Context, change: (one: Context) => Context): Context {
  const children = context.contexts?.map((child) => eachContext(child, change));
  return change(children === undefined ? context : { ...context, contexts: children });
}

export function inContext(source: Source, name: string, change: (one: Context) => Context): Source {
  return { ...source, plan: eachContext(source.plan, (one) => (one.name === name ? change(one) : one)) };
}

export const artefactOf = (source: Source, id: string): Artefact | undefined => (source.jobs ?? []).find((job) => idOf(job) === id);

/** The kind of a job by its agent's name, else by its artefact. */
export function kindOfJob(source: Source, ref: Ref): KindOfJob {
  const own = Object.entries(DASHBOARD_AGENTS).find(([, agent]) => agent === ref.agentName)?.[0];
  const type = artefactOf(source, idOf(ref))?.type;
  return (own ?? Object.entries(TYPES).find(([, tag]) => tag === type)?.[0] ?? "command") as KindOfJob;
}

export const residencesOf = (source: Source, id: string): string[] =>
  contextsOf(source.plan)
    .filter(({ context }) => (context.scheduledJobs ?? []).some((ref) => idOf(ref) === id))
    .map(({ context }) => context.name);

export function refOf(source: Source, id: string): Ref | undefined {
  for (const { context } of contextsOf(source.plan)) {
    const found = context.scheduledJobs?.find((ref) => idOf(ref) === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

const FIRST_FIELDS: Record<string, Obj> = {
  command: { commandLine: "echo done" },
  clock: { cronExpression: "0 0 6 * * ?" },
  file: { cronExpression: "0 * * * * ?", filenames: ["/data/incoming/.*\\.csv"] },
};

export function addJob(source: Source, context: string, kind: KindOfJob, agent: string, name: string): Source {
  const agentName = DASHBOARD_AGENTS[kind] ?? agent;
  const ref = { agentName, jobName: name };
  const grown = inContext(source, context, (one) => ({ ...one, scheduledJobs: [...(one.scheduledJobs ?? []), ref] }));
  const type = TYPES[kind];
  if (type === undefined || artefactOf(source, idOf(ref)) !== undefined) return grown;
  const artefact: Artefact = { type, ...ref, contextName: source.plan.name, ...FIRST_FIELDS[kind] };
  return { ...grown, jobs: [...(source.jobs ?? []), artefact] };
}

/** Let a job reside in a context as well, or no more; without any residence it is gone. */
export function reside(source: Source, id: string, context: string, wanted: boolean): Source {
  const ref = refOf(source, id);
  if (ref === undefined) return source;
  if (wanted) return inContext(source, context, (one) => ({ ...one, scheduledJobs: [...(one.scheduledJobs ?? []), { agentName: ref.agentName, jobName: ref.jobName }] }));
  const without = inContext(source, context, (one) => forgetIn(one, id));
  if (residencesOf(without, id).length > 0) return without;
  const plan = eachContext(without.plan, (one) => put(one, "jobLocks", one.jobLocks?.map((lock) => withoutMember(lock, id))));
  const left = { ...without, plan, jobs: (without.jobs ?? []).filter((job) => idOf(job) !== id) };
  return isNamed(left, ref.jobName) ? left : toldNoMore(left, ref.jobName);
}

/** Whether a job of any agent has the name. */
const isNamed = (source: Source, jobName: string): boolean => contextsOf(source.plan).some(({ context }) => (context.scheduledJobs ?? []).some((ref) => ref.jobName === jobName));

export const removeJob = (source: Source, id: string): Source => residencesOf(source, id).reduce((left, context) => reside(left, id, context, false), source);

function withoutMember(lock: Lock, id: string): Lock {
  const jobs = Object.fromEntries(
    Object.entries(lock.jobs ?? {})
      .map(([context, members]) => [context, members.filter((one) => idOf(one) !== id)] as const)
      .filter(([, members]) => members.length > 0),
  );
  return put(lock, "jobs", jobs);
}

function forgetIn(context: Context, id: string): Context {
  const dependencies = (context.jobDependencies ?? []).filter((one) => one.jobIdentifier !== id).map((one) => withGrouping(one, without(one.logicalGrouping, id)));
  const rest = put(context, "scheduledJobs", (context.scheduledJobs ?? []).filter((ref) => idOf(ref) !== id));
  return put(rest, "jobDependencies", dependencies);
}

function withGrouping<T extends { logicalGrouping?: Grouping }>(one: T, grouping: Grouping | undefined): T {
  const { logicalGrouping: _, ...rest } = one;
  return (grouping === undefined ? rest : { ...rest, logicalGrouping: grouping }) as T;
}

/** A grouping without an identifier, wherever it stands in it; undefined: nothing is left. */
export function without(grouping: Grouping | undefined, id: string): Grouping | undefined {
  if (grouping === undefined) return undefined;
  let next: Grouping = grouping;
  for (const list of ["and", "or", "not"] as const) {
    const terms = grouping[list]?.flatMap((one): Operator[] => {
      const inner = without(one.logicalGrouping, id);
      const named = one.identifier === id ? undefined : one.identifier;
      if (named === undefined && inner === undefined) return [];
      return [{ ...(named === undefined ? {} : { identifier: named }), ...(inner === undefined ? {} : { logicalGrouping: inner }) }];
    });
    next = put(next, list, terms);
  }
  next = put(next, "logicalGrouping", without(grouping.logicalGrouping, id));
  return Object.keys(next).length === 0 ? undefined : next;
}

export function setDependency(source: Source, context: string, job: string, grouping: Grouping | undefined): Source {
  return inContext(source, context, (one) => {
    const others = (one.jobDependencies ?? []).filter((dependency) => dependency.jobIdentifier !== job);
    const place = (one.jobDependencies ?? []).findIndex((dependency) => dependency.jobIdentifier === job);
    const all = [...others];
    if (grouping !== undefined) all.splice(place < 0 ? all.length : place, 0, { jobIdentifier: job, logicalGrouping: grouping });
    return put(one, "jobDependencies", all);
  });
}

export const dependencyOf = (source: Source, context: string, job: string): Grouping | undefined =>
  contextsOf(source.plan)
    .find((one) => one.context.name === context)
    ?.context.jobDependencies?.find((one) => one.jobIdentifier === job)?.logicalGrouping;

/** `job` needs one more, all of them together. */
export function dependOn(source: Source, context: string, job: string, needs: string): Source {
  const now = dependencyOf(source, context, job) ?? {};
  if ((now.and ?? []).some((one) => one.identifier === needs)) return source;
  return setDependency(source, context, job, { ...now, and: [...(now.and ?? []), { identifier: needs }] });
}

export const dependNoMore = (source: Source, context: string, job: string, needs: string): Source => setDependency(source, context, job, without(dependencyOf(source, context, job), needs));

export function addContext(source: Source, parent: string, name: string): Source {
  return inContext(source, parent, (one) => ({ ...one, contexts: [...(one.contexts ?? []), { name }] }));
}

/** With all that is in it; jobs that reside elsewhere stay there. */
export function removeContext(source: Source, name: string): Source {
  const target = contextsOf(source.plan).find((one) => one.context.name === name);
  if (target === undefined || target.parent === "") return source;
  let left = source;
  for (const { context } of contextsOf(target.context)) {
    for (const ref of context.scheduledJobs ?? []) left = reside(left, idOf(ref), context.name, false);
  }
  const plan = eachContext(left.plan, (one) => put(one, "contexts", one.contexts?.filter((child) => child.name !== name)));
  const gone = new Set(contextsOf(target.context).map((one) => one.context.name));
  return { ...left, plan: eachContext(plan, (one) => put(one, "contextDependencies", one.contextDependencies?.filter((dependency) => !gone.has(dependency.contextIdentifier)))) };
}

/** Another name for a context, everywhere it is named. */
export function renameContext(source: Source, before: string, after: string): Source {
  const named = (text: string): string => (text === before ? after : text);
  const plan = eachContext(source.plan, (one) => {
    let next = one.name === before ? { ...one, name: after } : one;
    next = put(next, "contextDependencies", next.contextDependencies?.map((dependency) => ({ ...dependency, contextIdentifier: named(dependency.contextIdentifier), ...renamedIn(dependency.logicalGrouping, before, after) })));
    return put(next, "jobLocks", next.jobLocks?.map((lock) => put(lock, "jobs", Object.fromEntries(Object.entries(lock.jobs ?? {}).map(([context, members]) => [named(context), members])))));
  });
  const jobs = (source.jobs ?? []).map((job) => {
    const residences = job["childContextNames"];
    const moved = Array.isArray(residences) ? put(job, "childContextNames", residences.map((one) => (one === before ? after : (one as unknown)))) : job;
    return job["contextName"] === before ? { ...moved, contextName: after } : moved;
  });
  return toldInContext({ ...source, plan, jobs }, before, after);
}

/** Another name or agent for a job, everywhere it is named. */
export function renameJob(source: Source, id: string, agentName: string, jobName: string): Source {
  const next = idOf({ agentName, jobName });
  const renamed = <T extends Ref>(ref: T): T => (idOf(ref) === id ? { ...withoutIdentifier(ref), agentName, jobName } : ref);
  const plan = eachContext(source.plan, (one) => {
    const refs = put(one, "scheduledJobs", one.scheduledJobs?.map(renamed));
    const dependencies = one.jobDependencies?.map((dependency) => ({
      ...dependency,
      jobIdentifier: dependency.jobIdentifier === id ? next : dependency.jobIdentifier,
      ...renamedIn(dependency.logicalGrouping, id, next),
    }));
    const locks = one.jobLocks?.map((lock) => put(lock, "jobs", Object.fromEntries(Object.entries(lock.jobs ?? {}).map(([context, members]) => [context, members.map(renamed)]))));
    return put(put(refs, "jobDependencies", dependencies), "jobLocks", locks);
  });
  const whole = { ...source, plan, jobs: (source.jobs ?? []).map(renamed) };
  const before = refOf(source, id)?.jobName ?? jobName;
  return isNamed(whole, before) ? whole : toldOfJob(whole, before, jobName);
}

/** An exported identifier follows from the names; one of before would be wrong. */
function withoutIdentifier<T extends Ref>(ref: T): T {
  const { identifier: _, ...rest } = ref;
  return rest as unknown as T;
}

function renamedIn(grouping: Grouping | undefined, before: string, after: string): { logicalGrouping?: Grouping } {
  if (grouping === undefined) return {};
  const term = (one: Operator): Operator => ({ ...one, ...(one.identifier === before ? { identifier: after } : {}), ...renamedIn(one.logicalGrouping, before, after) });
  const lists = Object.fromEntries((["and", "or", "not"] as const).filter((list) => grouping[list] !== undefined).map((list) => [list, grouping[list]?.map(term)]));
  return { logicalGrouping: { ...grouping, ...lists, ...renamedIn(grouping.logicalGrouping, before, after) } };
}

export function setArtefact(source: Source, id: string, change: (one: Artefact) => Artefact): Source {
  return { ...source, jobs: (source.jobs ?? []).map((job) => (idOf(job) === id ? change(job) : job)) };
}
