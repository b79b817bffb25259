/** The plan as a graph: a click chooses what the form beside it shows, a line drawn from job to job is a dependency. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { say } from "../../acting";
import type { Draft } from "../../editing/draft";
import { keyOf, placeOf } from "../../editing/places";
import type { Source } from "../../editing/plan";
import { dependNoMore, dependOn, kindOfJob, refOf } from "../../editing/source";
import { Canvas, type Look } from "../../graph/canvas";
import { contextsIn, copyOf, type Edge, type Node } from "../../graph/definition";
import { useLayout } from "../../graph/laying";
import { Empty } from "../../parts";
import { kindOf, words } from "../../words";
import { Form } from "./forms";

/** What a layout depends on: names and dependencies, and not what a job runs. */
const shapeOf = ({ plan }: Source): string =>
  JSON.stringify(plan, (key, value: unknown) => (["jobLocks", "contextParameters", "description", "timeWindowStart", "contextTtlMilliseconds"].includes(key) ? undefined : value));

export function DrawingEditor({ draft }: { draft: Draft }): JSX.Element {
  const source = draft.source.value;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [edge, setEdge] = useState<Edge["of"]>();
  const ready = useLayout(source.plan, shapeOf(source), folded);
  const faulty = jobsWithFaults(draft);
  if (typeof ready === "string") return <Empty>{ready}</Empty>;
  const fold = (context: string, wanted: boolean): void => {
    const next = new Set(folded);
    if (wanted) next.add(context);
    else next.delete(context);
    setFolded(next);
  };
  const look = (node: Node): Look => {
    if (node.kind === "context") return { tone: "idle", what: words.editor.context, says: `${words.editor.context} ${node.label}` };
    const ref = refOf(source, node.job);
    const kind = ref === undefined ? "" : kindOf(kindOfJob(source, ref));
    const what = faulty.has(node.job) ? `✘ ${kind}` : kind;
    return { tone: faulty.has(node.job) ? "bad" : "idle", what, says: `${node.label}: ${what}` };
  };
  const pick = (node: Node): void => {
    setEdge(undefined);
    if (node.kind === "context") fold(node.label, false);
    else if (node.kind === "job") draft.choose({ kind: "job", id: node.job, context: node.context });
  };
  const connect = (from: Node, to: Node): void => {
    if (from.context !== to.context || from.kind !== "job" || to.kind !== "job") say(false, words.editor.sameContext);
    else draft.change(dependOn(source, to.context, to.job, from.job));
  };
  const part = draft.part.value;
  const chosen = ready.drawing.nodes.find((node) => part.kind === "job" && node.job === part.id && (part.context === "" || node.context === part.context));
  return (
    <div class="halves drawing">
      <div>
        <p class="quiet">{words.editor.graphHint}</p>
        <Canvas
          ready={ready}
          look={look}
          fold={fold}
          foldAll={(all) => setFolded(new Set(all ? contextsIn(source.plan) : []))}
          chosen={chosen?.id ?? (part.kind === "job" ? copyOf(part.context, part.id) : "")}
          pick={pick}
          pickEdge={({ of }) => of?.job !== "" && setEdge(of)}
          connect={connect}
        >
          {edge !== undefined && (
            <span class="chip">
              {words.editor.edge(nameOf(source, edge.needs), nameOf(source, edge.job))}{" "}
              <button
                type="button"
                onClick={() => {
                  draft.change(dependNoMore(source, edge.context, edge.job, edge.needs));
                  setEdge(undefined);
                }}
              >
                {words.editor.removeEdge}
              </button>
            </span>
          )}
        </Canvas>
      </div>
      <Form key={keyOf(part)} draft={draft} />
    </div>
  );
}

const nameOf = (source: Source, id: string): string => refOf(source, id)?.jobName ?? id;

function jobsWithFaults(draft: Draft): Set<string> {
  const wrong = (draft.checked.value.found?.faults ?? []).filter((fault) => !fault.warning);
  return new Set(wrong.map((fault) => placeOf(draft.source.value, fault).part).flatMap((part) => (part.kind === "job" ? [part.id] : [])));
}
