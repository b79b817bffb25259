/** A plan's dependencies as nodes and edges: copies of jobs, and a small gate where several conditions meet. */
import type { Grouping, Operator, PlanContext } from "../documents";

export interface Node {
  id: string;
  kind: "job" | "and" | "or";
  label: string;
  context: string;
  /** Of a job: by which identifier dependencies name it. */
  job: string;
}

export interface Edge {
  from: string;
  to: string;
  not: boolean;
}

export interface Drawing {
  nodes: Node[];
  edges: Edge[];
  /** Each context with the one it stands in; the outermost first. */
  contexts: { name: string; parent: string }[];
}

export const copyOf = (context: string, job: string): string => `${context}\n${job}`;

export function drawingOf(plan: PlanContext): Drawing {
  const drawing: Drawing = { nodes: [], edges: [], contexts: [] };
  visit(drawing, plan, "");
  const known = new Set(drawing.nodes.map((node) => node.id));
  drawing.edges = drawing.edges.filter((edge) => known.has(edge.from) && known.has(edge.to));
  return drawing;
}

function visit(drawing: Drawing, context: PlanContext, parent: string): void {
  drawing.contexts.push({ name: context.name, parent });
  for (const { agentName, jobName, displayName } of context.scheduledJobs ?? []) {
    const job = `${agentName}-${jobName}`;
    drawing.nodes.push({ id: copyOf(context.name, job), kind: "job", label: displayName || jobName, context: context.name, job });
  }
  for (const { jobIdentifier, logicalGrouping } of context.jobDependencies ?? []) {
    if (logicalGrouping !== undefined) new Conditions(drawing, context.name).meet(copyOf(context.name, jobIdentifier), logicalGrouping);
  }
  for (const child of context.contexts ?? []) visit(drawing, child, context.name);
}

/** `(all of and) or (any of or)`, none of `not`, and what is nested as well. */
class Conditions {
  constructor(
    private readonly drawing: Drawing,
    private readonly context: string,
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
    if (identifier) this.drawing.edges.push({ from: copyOf(this.context, identifier), to: target, not });
    if (logicalGrouping !== undefined) this.meet(this.gate("and", target, not), logicalGrouping);
  }

  private gate(kind: "and" | "or", target: string, not = false): string {
    const id = `${this.context}\n\n${this.drawing.nodes.length}`;
    this.drawing.nodes.push({ id, kind, label: "", context: this.context, job: "" });
    this.drawing.edges.push({ from: id, to: target, not });
    return id;
  }
}
