/** The dependencies of an instance as a picture: statuses live, conditions where they meet. */
import { useEffect, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { InstanceStatus, JobState, PlanContext, PlanVersion } from "../documents";
import { DONE, symbol, tone } from "../format";
import { Canvas, type Look } from "../graph/canvas";
import { contextsIn, copyOf, type Node } from "../graph/definition";
import { type Ready, useLayout } from "../graph/laying";
import { askOnce, follow } from "../link";
import { Empty } from "../parts";
import { at, plan as planAt } from "../picture";
import { to } from "../route";
import { versionAt } from "../topics";
import { spoken, words } from "../words";

/** The plan of an instance: from its topic where that stands, else the dashboard is asked; or why there is none (yet). */
function usePlan({ plan, version, status }: InstanceStatus): PlanContext | string {
  const topic = versionAt(plan, version);
  const stands = status !== "ENDED" || planAt(plan)?.version === version;
  const [asked, setAsked] = useState<PlanContext | string>(words.graph.loading);
  useEffect(() => (stands ? follow(topic) : undefined), [topic, stands]);
  useEffect(() => {
    if (stands) return;
    askOnce<PlanVersion>({ ask: "plan.version", plan, version }).then(
      ({ source }) => setAsked(source?.plan ?? words.graph.none),
      (error: Error) => setAsked(error.message),
    );
  }, [topic, stands]);
  return stands ? (at<PlanVersion>(topic)?.source?.plan ?? words.graph.loading) : asked;
}

export function Graph({ one, jobs }: { one: InstanceStatus; jobs: JobState[] }): JSX.Element {
  const plan = usePlan(one);
  return typeof plan === "string" ? <Empty>{plan}</Empty> : <Folding plan={plan} one={one} jobs={jobs} />;
}

interface Wanted {
  plan: PlanContext;
  one: InstanceStatus;
  jobs: JobState[];
}

function Folding({ plan, one, jobs }: Wanted): JSX.Element {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const ready = useLayout(plan, `${one.plan} ${one.version}`, folded);
  if (typeof ready === "string") return <Empty>{ready}</Empty>;
  const fold = (context: string, wanted: boolean): void => {
    const next = new Set(folded);
    if (wanted) next.add(context);
    else next.delete(context);
    setFolded(next);
  };
  return <Picture ready={ready} one={one} jobs={jobs} plan={plan} fold={fold} foldAll={(all) => setFolded(new Set(all ? contextsIn(plan) : []))} />;
}

interface Drawn extends Wanted {
  ready: Ready;
  fold: (context: string, wanted: boolean) => void;
  foldAll: (all: boolean) => void;
}

function Picture({ ready, one, jobs, plan, fold, foldAll }: Drawn): JSX.Element {
  const states = new Map(jobs.map((job) => [copyOf(job.context, job.job), job]));
  const contexts = new Map((one.contexts ?? []).map((state) => [state.context, state.status]));
  const look = (node: Node): Look => {
    if (node.kind === "context") return lookOfContext(node.label, contexts.get(node.label) ?? "WAITING", plan, states);
    const status = states.get(node.id)?.status ?? "WAITING";
    const says = `${node.label}: ${spoken(status)}`;
    return { tone: tone(status), what: `${symbol(status)} ${spoken(status)}`, says, href: to("instances", one.instance, "job", node.context, node.job) };
  };
  return <Canvas ready={ready} look={look} frame={(context) => tone(contexts.get(context) ?? "WAITING")} fold={fold} foldAll={foldAll} />;
}

function lookOfContext(name: string, status: JobState["status"] | "ENDED" | "PREPARED", plan: PlanContext, states: Map<string, JobState>): Look {
  const within = insideOf(plan, name);
  const done = within.filter((id) => DONE.has(states.get(id)?.status ?? "WAITING")).length;
  const what = `${symbol(status)} ${spoken(status)}, ${done} / ${within.length}`;
  return { tone: tone(status), what, says: `${words.instance.expand(name)}: ${what}` };
}

/** All copies of jobs in a context and below it. */
function insideOf(plan: PlanContext, name: string, inside = false): string[] {
  const here = inside || plan.name === name;
  const own = here ? (plan.scheduledJobs ?? []).map(({ agentName, jobName }) => copyOf(plan.name, `${agentName}-${jobName}`)) : [];
  return [...own, ...(plan.contexts ?? []).flatMap((child) => insideOf(child, name, here))];
}
