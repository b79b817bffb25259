/**
 * A plan from what somebody drops on the page: a zip or the files of a bundle as Ikasan exports it, or one file with a plan and
 * its jobs. Puts it together as the dashboard takes it; whether it makes sense, the dashboard says.
 */
import { strFromU8, unzipSync } from "fflate";
import { words } from "../words";
import type { Artefact, Context, Obj, Source } from "./plan";
import { isSource } from "./source";

/** What was dropped is no plan; the message says why. */
export class NoPlan extends Error {}

const MOST_BYTES = 64 * 1_048_576;
const FOLDERS: Record<string, string> = {
  internal: "internalEventDrivenJob",
  internalTemplate: "internalEventDrivenJob",
  quartz: "quartzScheduleDrivenJob",
  file: "fileEventDrivenJob",
  global: "globalEventJob",
};

export async function sourceOf(files: File[]): Promise<Source> {
  const documents = new Map<string, unknown>();
  for (const file of files) {
    if (file.size > MOST_BYTES) throw new NoPlan(words.editor.tooLarge(file.name));
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes[0] === 0x50 && bytes[1] === 0x4b) for (const [path, text] of unpacked(file.name, bytes)) documents.set(path, parsed(path, text));
    else documents.set(file.name, parsed(file.name, new TextDecoder().decode(bytes)));
  }
  const [only] = documents.values();
  return documents.size === 1 ? fromOne(only) : fromMany(documents);
}

function unpacked(name: string, bytes: Uint8Array): [string, string][] {
  let total = 0;
  try {
    const found = unzipSync(bytes, {
      filter: ({ name: path, originalSize }) => {
        total += originalSize;
        if (total > MOST_BYTES) throw new NoPlan(words.editor.tooLarge(name));
        return path.endsWith(".json") && !path.includes("__MACOSX");
      },
    });
    return Object.entries(found).map(([path, content]) => [path, strFromU8(content)]);
  } catch (error) {
    throw error instanceof NoPlan ? error : new NoPlan(words.editor.noZip(name));
  }
}

function parsed(path: string, text: string): unknown {
  try {
    return withoutNulls(JSON.parse(text.replace(/^\uFEFF/, "")));
  } catch (error) {
    throw new NoPlan(words.editor.noJson(`${path}: ${(error as Error).message}`));
  }
}

/** Null means absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null).map(([key, one]) => [key, withoutNulls(one)]));
}

/** `{plan, jobs}` as the page edits it, Ikasan's ContextBundle, or a plan with its jobs inside. */
function fromOne(document: unknown): Source {
  if (isSource(document)) return document;
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw new NoPlan(words.editor.noPlan);
  const { contextTemplate, schedulerJobs, jobs, ...rest } = document as Obj;
  if (typeof contextTemplate === "object") return { plan: contextTemplate as Context, jobs: (schedulerJobs ?? []) as Artefact[] };
  if (typeof rest["name"] !== "string") throw new NoPlan(words.editor.noPlan);
  const listed = Array.isArray(jobs) ? (jobs as Artefact[]) : Object.entries((jobs ?? {}) as Record<string, Obj[]>).flatMap(([folder, all]) => all.map((job) => typed(folder, job)));
  return { plan: rest as unknown as Context, jobs: listed };
}

function typed(folder: string, job: Obj): Artefact {
  const type = FOLDERS[folder];
  if (type === undefined) throw new NoPlan(words.editor.noKind(folder));
  return { ...job, type } as unknown as Artefact;
}

function fromMany(documents: Map<string, unknown>): Source {
  const contexts = new Map<string, Context>();
  const jobs: Artefact[] = [];
  const kept: Record<string, unknown[]> = { notification: [], notification_details: [] };
  for (const [path, document] of [...documents].sort(([one], [other]) => one.localeCompare(other))) {
    const [, inContext] = /(?:^|\/)context\/(.+)\.json$/.exec(path) ?? [];
    const [, folder] = /(?:^|\/)jobs\/([^/]+)\/[^/]+\.json$/.exec(path) ?? [];
    if (inContext !== undefined) contexts.set(inContext, document as Context);
    else if (folder !== undefined) jobs.push(typed(folder, document as Obj));
    else kept[/(?:^|\/)(notification|notification_details)\/[^/]+\.json$/.exec(path)?.[1] ?? ""]?.push(document);
  }
  const roots = [...contexts.keys()].filter((path) => !path.includes("/"));
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new NoPlan(roots.length > 1 ? words.editor.manyPlans(roots.join(", ")) : words.editor.noPlan);
  const told = { notifications: kept["notification"] ?? [], notification_details: kept["notification_details"] ?? [] };
  return { plan: nested(root, contexts), jobs, ...Object.fromEntries(Object.entries(told).filter(([, all]) => all.length > 0)) };
}

/** A context with those of its folder put into it, in the order of their `ordinal`. */
function nested(path: string, contexts: Map<string, Context>): Context {
  const own = contexts.get(path) as Context;
  const children = [...contexts.keys()].filter((other) => other.slice(0, other.lastIndexOf("/")) === path && other.startsWith(`${path}/`));
  if (children.length === 0) return own;
  const order = (child: string): number => Number(contexts.get(child)?.["ordinal"] ?? -1);
  const inside = children.sort((one, other) => order(one) - order(other)).map((child) => nested(child, contexts));
  return { ...own, contexts: [...(own.contexts ?? []), ...inside] };
}

const TOKEN = /\[\[([A-Za-z][A-Za-z0-9_.-]*)\]\]/g;

/** The names of `[[tokens]]` that stand for values of the environment. */
export function tokensIn(source: Source): string[] {
  return [...new Set([...JSON.stringify(source).matchAll(TOKEN)].map(([, name]) => name ?? ""))].sort();
}

export function withTokens(source: Source, values: Record<string, string>): Source {
  const replaced = (value: unknown): unknown => {
    if (typeof value === "string") return value.replace(TOKEN, (whole, name: string) => values[name] || whole);
    if (Array.isArray(value)) return value.map(replaced);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [replaced(key) as string, replaced(one)]));
  };
  return replaced(source) as Source;
}
