/** The dependencies of an instance as a picture: statuses live, conditions where they meet; moved with pointer or keys. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { JobState, PlanVersion } from "../documents";
import { symbol, tone } from "../format";
import { copyOf, type Drawing, drawingOf, type Node } from "../graph/definition";
import type { Box, Laid } from "../graph/layout";
import { usePanning } from "../graph/panning";
import { askOnce } from "../link";
import { memo } from "../memo";
import { Empty } from "../parts";
import { to } from "../route";
import { spoken, words } from "../words";

interface Wanted {
  plan: string;
  version: number;
  instance: string;
  jobs: JobState[];
}

interface Ready {
  drawing: Drawing;
  laid: Laid;
}

const kept = new Map<string, Ready>();

function inWorker(drawing: Drawing): { laid: Promise<Laid>; stop: () => void } {
  const worker = new Worker(new URL("../graph/worker.ts", import.meta.url), { type: "module" });
  const laid = new Promise<Laid>((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<Laid>) => {
      worker.terminate();
      resolve(event.data);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(drawing);
  });
  return { laid, stop: () => worker.terminate() };
}

/** The plan as the dashboard has it, laid out; until then, a word about what is waited for. */
function useDrawing(plan: string, version: number): Ready | string {
  const key = `${plan}\n${version}`;
  const [state, setState] = useState<Ready | string>(kept.get(key) ?? words.graph.loading);
  useEffect(() => {
    if (kept.has(key)) return undefined;
    let wanted = true;
    let stop = (): void => undefined;
    const draw = async (): Promise<void> => {
      const { source } = await askOnce<PlanVersion>({ ask: "plan.version", plan, version });
      if (!wanted) return;
      if (source === undefined) {
        setState(words.graph.none);
        return;
      }
      const drawing = drawingOf(source.plan);
      setState(words.graph.layout(drawing.nodes.length));
      const working = inWorker(drawing);
      stop = working.stop;
      const ready = { drawing, laid: await working.laid };
      kept.set(key, ready);
      if (wanted) setState(ready);
    };
    draw().catch((error: Error) => wanted && setState(error.message));
    return () => {
      wanted = false;
      stop();
    };
  }, [key]);
  return state;
}

export function Graph({ plan, version, instance, jobs }: Wanted): JSX.Element {
  const ready = useDrawing(plan, version);
  if (typeof ready === "string") return <Empty>{ready}</Empty>;
  return <Picture ready={ready} instance={instance} jobs={jobs} />;
}

function Picture({ ready: { drawing, laid }, instance, jobs }: { ready: Ready; instance: string; jobs: JobState[] }): JSX.Element {
  const [wanted, want] = useState("");
  const frame = useRef<SVGSVGElement>(null);
  const moved = useRef<SVGGElement>(null);
  const view = usePanning(frame, moved, laid);
  const states = new Map(jobs.map((job) => [copyOf(job.context, job.job), job]));
  const find = (text: string): void => {
    const low = text.trim().toLowerCase();
    want(low);
    const found = low === "" ? undefined : drawing.nodes.find((node) => node.label.toLowerCase().includes(low));
    const box = found && laid.boxes[found.id];
    if (box) view.centre(box);
  };
  return (
    <>
      <div class="tools">
        <button type="button" aria-label={words.graph.zoomIn} onClick={() => view.zoom(1.25)}>
          +
        </button>
        <button type="button" aria-label={words.graph.zoomOut} onClick={() => view.zoom(0.8)}>
          −
        </button>
        <button type="button" onClick={() => view.fit()}>
          {words.graph.fit}
        </button>
        <label>
          {words.graph.find} <input type="search" onInput={(event) => find(event.currentTarget.value)} />
        </label>
      </div>
      <svg class="graph" ref={frame} role="group" aria-label={words.graph.label} tabIndex={0}>
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        <g ref={moved}>
          <Frames laid={laid} />
          <Edges drawing={drawing} laid={laid} />
          {drawing.nodes.map((node) => (
            <Place
              key={node.id}
              node={node}
              box={laid.boxes[node.id]}
              job={states.get(node.id)}
              instance={instance}
              isFound={wanted !== "" && node.label.toLowerCase().includes(wanted)}
            />
          ))}
        </g>
      </svg>
      <p class="quiet">{words.graph.legend}</p>
    </>
  );
}

const Frames = memo(function Frames({ laid }: { laid: Laid }): JSX.Element {
  return (
    <>
      {Object.entries(laid.contexts).map(([name, { x, y, width, height }]) => (
        <g key={name} class="frame">
          <rect x={x} y={y} width={width} height={height} rx={8} />
          <text x={x + 8} y={y + 12}>
            {name}
          </text>
        </g>
      ))}
    </>
  );
});

const Edges = memo(function Edges({ drawing, laid }: { drawing: Drawing; laid: Laid }): JSX.Element {
  return (
    <>
      {drawing.edges.map((edge, place) => (
        <path key={`${edge.from} ${edge.to} ${place}`} class={edge.not ? "edge not" : "edge"} d={laid.paths[place]} />
      ))}
    </>
  );
});

interface Spot {
  node: Node;
  box: Box | undefined;
  job: JobState | undefined;
  instance: string;
  isFound: boolean;
}

const SHOWN = 21;

const Place = memo(function Place({ node, box, job, instance, isFound }: Spot): JSX.Element | null {
  if (box === undefined) return null;
  const { x, y, width, height } = box;
  if (node.kind !== "job") {
    return (
      <g class="gate" transform={`translate(${x} ${y})`}>
        <rect width={width} height={height} rx={11} />
        <text x={width / 2} y={15}>
          {words.graph[node.kind]}
        </text>
      </g>
    );
  }
  const status = job?.status ?? "WAITING";
  const label = node.label.length > SHOWN ? `${node.label.slice(0, SHOWN - 1)}…` : node.label;
  return (
    <a href={to("instances", instance, "job", node.context, node.job)} aria-label={`${node.label}: ${spoken(status)}`}>
      <g class={`node tone-${tone(status)} ${isFound ? "found" : ""}`} transform={`translate(${x} ${y})`}>
        <title>{`${node.label}: ${spoken(status)}`}</title>
        <rect width={width} height={height} rx={6} />
        <text class="name" x={10} y={17}>
          {label}
        </text>
        <text class="what" x={10} y={32}>
          {symbol(status)} {spoken(status)}
        </text>
      </g>
    </a>
  );
});
