/**
 * A plan's dependencies as nodes and edges: copies of jobs, a small gate where several conditions meet, a start and an end
 * of each context that waits for another, and one node for all of a context that is folded.
 */
import type { Grouping, Operator, PlanContext } from "../documents";

export type Kind = "job" | "and" | "or" | "begin" | "end" | "context";

export interface Node {
  id: string;
  kind: Kind;
  label: string;
  /** In which it stands. */
  context: string;
  /** Of a job: by which identifier dependencies name it. */
  job: string;
}

export interface Edge {
  from: string;
  to: string;
  /** `same`: the two are copies of one job, and the first decides. */
  kind: "needs" | "not" | "same";
  /** Of a dependency that is written as such: whose it is, and on what. */
  of?: { context: string; job: string; needs: string };
}

export interface Drawing {
  nodes: Node[];
  edges: Edge[];
  /** Each context that is drawn as a frame, with the one it stands in; the outermost first. */
  contexts: { name: string; parent: string }[];
}

type Of = NonNullable<Edge["of"]>;

export const copyOf = (context: string, job: string): string => `${context}\n${job}`;
export const foldOf = (context: string): string => `${context}\nfolded`;

const none: ReadonlySet<string> = new Set();

export function drawingOf(plan: PlanContext, folded: ReadonlySet<string> = none): Drawing {
  return new Sketch(folded).draw(plan);
}

/** All contexts of a plan but the outermost one. */
export function contextsIn(plan: PlanContext): string[] {
  return (plan.contexts ?? []).flatMap((one) => [one.name, ...contextsIn(one)]);
}

class Sketch {
  private readonly drawing: Drawing = { nodes: [], edges: [], contexts: [] };
  /** The node that stands for a copy, or for the start or end of a context, that is inside a folded one. */
  private readonly inside = new Map<string, string>();
  private readonly entries = new Map<string, string[]>();
  private readonly exits = new Map<string, string[]>();

  constructor(private readonly folded: ReadonlySet<string>) {}

  draw(plan: PlanContext): Drawing {
    this.place(plan, "", "");
    this.depend(plan);
    this.gates(plan);
    this.copies(plan);
    const { drawing } = this;
    const known = new Set(drawing.nodes.map((node) => node.id));
    const met = new Set<string>();
    drawing.edges = drawing.edges
      .map((edge) => ({ ...edge, from: this.shown(edge.from), to: this.shown(edge.to) }))
      .filter(({ from, to, kind }) => {
        const key = `${from}\t${to}\t${kind}`;
        if (from === to || !known.has(from) || !known.has(to) || met.has(key)) return false;
        met.add(key);
        return true;
      });
    return drawing;
  }

  private readonly shown = (id: string): string => this.inside.get(id) ?? id;

  /** Nodes of a context's jobs; `fold` is the node that stands for all of it when it is folded. */
  private place(context: PlanContext, parent: string, fold: string): void {
    const { nodes, contexts } = this.drawing;
    let into = fold;
    if (into === "" && parent !== "" && this.folded.has(context.name)) {
      into = foldOf(context.name);
      nodes.push({ id: into, kind: "context", label: context.name, context: parent, job: "" });
    } else if (into === "") contexts.push({ name: context.name, parent });
    for (const { agentName, jobName, displayName } of context.scheduledJobs ?? []) {
      const job = `${agentName}-${jobName}`;
      const id = copyOf(context.name, job);
      if (into === "") nodes.push({ id, kind: "job", label: displayName || jobName, context: context.name, job });
      else this.inside.set(id, into);
    }
    if (into !== "") for (const kind of ["begin", "end"] as const) this.inside.set(edgeOf(context.name, kind), into);
    for (const child of context.contexts ?? []) this.place(child, context.name, into);
  }

  private depend(context: PlanContext): void {
    if (!this.inside.has(edgeOf(context.name, "begin"))) {
      for (const { jobIdentifier, logicalGrouping } of context.jobDependencies ?? []) {
        if (logicalGrouping === undefined) continue;
        const of = { context: context.name, job: jobIdentifier, needs: "" };
        new Conditions(this.drawing, context.name, of, (needs) => copyOf(context.name, needs)).meet(copyOf(context.name, jobIdentifier), logicalGrouping);
      }
      this.ends(context);
    }
    for (const child of context.contexts ?? []) this.depend(child);
  }

  /** Which copies of a context nothing in it leads to, and from which nothing leads on. */
  private ends(context: PlanContext): void {
    const own = (context.scheduledJobs ?? []).map(({ agentName, jobName }) => copyOf(context.name, `${agentName}-${jobName}`));
    const led = new Set(this.drawing.edges.map((edge) => edge.to));
    const leading = new Set(this.drawing.edges.map((edge) => edge.from));
    this.entries.set(context.name, own.filter((id) => !led.has(id)));
    this.exits.set(context.name, own.filter((id) => !leading.has(id)));
  }

  /** Contexts that wait for contexts: from the end of one to the start of the other. */
  private gates(context: PlanContext): void {
    for (const { contextIdentifier, logicalGrouping } of context.contextDependencies ?? []) {
      const waiting = logicalGrouping === undefined ? context.name : contextIdentifier;
      const grouping = logicalGrouping ?? { and: [{ identifier: contextIdentifier }] };
      const target = this.gate(waiting, "begin");
      new Conditions(this.drawing, this.frameOf(waiting), { context: context.name, job: "", needs: "" }, (needs) => this.gate(needs, "end")).meet(target, grouping);
    }
    for (const child of context.contexts ?? []) this.gates(child);
  }

  private frameOf(context: string): string {
    const fold = this.inside.get(edgeOf(context, "begin"));
    return fold === undefined ? context : (this.drawing.nodes.find((node) => node.id === fold)?.context ?? context);
  }

  private gate(context: string, kind: "begin" | "end"): string {
    const id = edgeOf(context, kind);
    if (this.inside.has(id) || this.drawing.nodes.some((node) => node.id === id)) return id;
    this.drawing.nodes.push({ id, kind, label: context, context, job: "" });
    if (kind === "begin") for (const to of this.entries.get(context) ?? []) this.drawing.edges.push({ from: id, to, kind: "needs" });
    else for (const from of this.exits.get(context) ?? []) this.drawing.edges.push({ from, to: id, kind: "needs" });
    return id;
  }

  /** From the copies of a job that have a dependency to those that follow them. */
  private copies(plan: PlanContext): void {
    const found = new Map<string, { id: string; decides: boolean }[]>();
    const visit = (context: PlanContext): void => {
      const decided = new Set((context.jobDependencies ?? []).filter((one) => one.logicalGrouping !== undefined).map((one) => one.jobIdentifier));
      for (const { agentName, jobName } of context.scheduledJobs ?? []) {
        const job = `${agentName}-${jobName}`;
        found.set(job, [...(found.get(job) ?? []), { id: copyOf(context.name, job), decides: decided.has(job) }]);
      }
      for (const child of context.contexts ?? []) visit(child);
    };
    visit(plan);
    for (const all of found.values()) {
      for (const one of all.filter(({ decides }) => decides)) {
        for (const other of all.filter(({ decides }) => !decides)) this.drawing.edges.push({ from: one.id, to: other.id, kind: "same" });
      }
    }
  }
}

const edgeOf = (context: string, kind: "begin" | "end"): string => `${context}\n\n${kind}`;

/** `(all of and) or (any of or)`, none of `not`, and what is nested as well. */
class Conditions {
  constructor(
    private readonly drawing: Drawing,
    private readonly context: string,
    private readonly of: Of,
    private readonly source: (identifier: string) => string,
  ) {}

  /** Everything that leads into `target` has to hold. */
  meet(target: string, { and = [], or = [], not = [], logicalGrouping }: Grouping): void {
    if (or.length + Number(and.length > 0) > 1) {
      const any = this.gate("or", target);
      for (const one of or) this.lead(one, any);
      const [only] = and;
      if (and.length === 1 && only !== undefined) this.lead(only, any);
      else if (and.length > 1) this.all(and, any);
    } else for (const one of [...and, ...or]) this.lead(one, target);
    for (const one of not) this.lead(one, target, true);
    if (logicalGrouping !== undefined) this.meet(target, logicalGrouping);
  }

  private all(operators: Operator[], target: string): void {
    const all = this.gate("and", target);
    for (const one of operators) this.lead(one, all);
  }

  private lead({ identifier, logicalGrouping }: Operator, target: string, not = false): void {
    const kind = not ? "not" : "needs";
    if (identifier) this.drawing.edges.push({ from: this.source(identifier), to: target, kind, of: { ...this.of, needs: identifier } });
    if (logicalGrouping !== undefined) this.meet(this.gate("and", target, not), logicalGrouping);
  }

  private gate(kind: "and" | "or", target: string, not = false): string {
    const id = `${this.context}\n\n${this.drawing.nodes.length}`;
    this.drawing.nodes.push({ id, kind, label: "", context: this.context, job: "" });
    this.drawing.edges.push({ from: id, to: target, kind: not ? "not" : "needs" });
    return id;
  }
}
