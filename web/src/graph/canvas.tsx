/** A drawing on the screen: moved with pointer or keys, searched, its contexts folded; what a click does is the caller's. */
import type { ComponentChildren, JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { memo } from "../memo";
import { words } from "../words";
import type { Drawing, Edge, Kind, Node } from "./definition";
import type { Ready } from "./laying";
import type { Box } from "./layout";
import { useConnecting } from "./connecting";
import { usePanning } from "./panning";

/** How a node looks, and where a click on it leads. */
export interface Look {
  tone: string;
  what: string;
  /** For those who do not see it. */
  says: string;
  href?: string;
}

interface Wanted {
  ready: Ready;
  look: (node: Node) => Look;
  /** The status of a context that is drawn as a frame, as a colour. */
  frame?: (context: string) => string;
  chosen?: string;
  fold: (context: string, folded: boolean) => void;
  foldAll: (folded: boolean) => void;
  pick?: (node: Node) => void;
  pickEdge?: (edge: Edge) => void;
  /** Draws lines from node to node. */
  connect?: (from: Node, to: Node) => void;
  children?: ComponentChildren;
}

export function Canvas({ ready: { drawing, laid }, look, frame, chosen, fold, foldAll, pick, pickEdge, connect, children }: Wanted): JSX.Element {
  const [wanted, want] = useState("");
  const svg = useRef<SVGSVGElement>(null);
  const moved = useRef<SVGGElement>(null);
  const view = usePanning(svg, moved, laid, connect !== undefined);
  const line = useConnecting(svg, moved, drawing, connect);
  const hits = wanted === "" ? [] : drawing.nodes.filter((node) => node.label.toLowerCase().includes(wanted));
  const at = useRef(0);
  const go = (to: Node | undefined): void => {
    const box = to && laid.boxes[to.id];
    if (box) view.centre(box);
  };
  const find = (text: string): void => {
    const low = text.trim().toLowerCase();
    want(low);
    at.current = 0;
    if (low !== "") go(drawing.nodes.find((node) => node.label.toLowerCase().includes(low)));
  };
  const next = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || hits.length === 0) return;
    at.current = (at.current + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    go(hits[at.current]);
  };
  const act = (target: EventTarget | null): boolean => {
    const found = target instanceof Element ? target.closest<SVGElement>("[data-node], [data-fold], [data-edge]") : null;
    if (found === null) return false;
    const { node, fold: context, edge } = found.dataset;
    if (context !== undefined) fold(context, true);
    else if (edge !== undefined) {
      const one = drawing.edges[Number(edge)];
      if (one === undefined || pickEdge === undefined) return false;
      pickEdge(one);
    } else {
      const one = drawing.nodes.find(({ id }) => id === node);
      if (one === undefined) return false;
      if (one.kind === "context" && pick === undefined) fold(one.label, false);
      else if (pick === undefined) return false;
      else pick(one);
    }
    return true;
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
        <button type="button" onClick={() => foldAll(true)}>
          {words.graph.foldAll}
        </button>
        <button type="button" onClick={() => foldAll(false)}>
          {words.graph.unfoldAll}
        </button>
        <label>
          {words.graph.find} <input type="search" onInput={(event) => find(event.currentTarget.value)} onKeyDown={next} />
        </label>
        {wanted !== "" && (
          <span class="quiet" role="status">
            {words.graph.found(hits.length)}
          </span>
        )}
        {children}
      </div>
      <svg
        class="graph"
        ref={svg}
        role="group"
        aria-label={words.graph.label}
        tabIndex={0}
        onClick={(event) => act(event.target) && event.preventDefault()}
        onKeyDown={(event) => (event.key === "Enter" || event.key === " ") && act(event.target) && event.preventDefault()}
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        <g ref={moved}>
          {Object.entries(laid.contexts).map(([name, box]) => (
            <Frame key={name} name={name} box={box} tone={frame?.(name) ?? "idle"} />
          ))}
          <Edges drawing={drawing} paths={laid.paths} pickable={pickEdge !== undefined} />
          {drawing.nodes.map((node) => {
            const { tone, what, says, href } = node.kind === "job" || node.kind === "context" ? look(node) : GATE;
            return (
              <Place
                key={node.id}
                id={node.id}
                kind={node.kind}
                label={node.label}
                box={laid.boxes[node.id]}
                tone={tone}
                what={what}
                says={says}
                href={href}
                isFound={wanted !== "" && node.label.toLowerCase().includes(wanted)}
                isChosen={chosen === node.id}
                hasHandle={connect !== undefined && node.kind === "job"}
                isButton={pick !== undefined}
              />
            );
          })}
          {line}
        </g>
      </svg>
      <p class="quiet">{words.graph.legend}</p>
    </>
  );
}

const GATE: Look = { tone: "idle", what: "", says: "" };

const Frame = memo(function Frame({ name, box: { x, y, width, height }, tone }: { name: string; box: Box; tone: string }): JSX.Element {
  return (
    <g class={`frame tone-${tone}`}>
      <rect x={x} y={y} width={width} height={height} rx={8} />
      <g class="knob" role="button" tabIndex={0} data-fold={name} aria-label={words.instance.collapse(name)}>
        <rect x={x} y={y} width={26 + name.length * 6.6} height={17} rx={4} />
        <text x={x + 7} y={y + 12}>
          ▾ {name}
        </text>
      </g>
    </g>
  );
});

const Edges = memo(function Edges({ drawing, paths, pickable }: { drawing: Drawing; paths: string[]; pickable: boolean }): JSX.Element {
  return (
    <>
      {drawing.edges.map((edge, place) => (
        <g key={`${edge.from} ${edge.to} ${place}`} class={`edge ${edge.kind}`}>
          <path d={paths[place]} />
          {pickable && edge.of !== undefined && <path class="reach" d={paths[place]} data-edge={place} />}
        </g>
      ))}
    </>
  );
});

interface Spot {
  id: string;
  kind: Kind;
  label: string;
  box: Box | undefined;
  tone: string;
  what: string;
  says: string;
  href: string | undefined;
  isFound: boolean;
  isChosen: boolean;
  hasHandle: boolean;
  isButton: boolean;
}

const SHOWN = 21;

const Place = memo(function Place({ id, kind, label, box, tone, what, says, href, isFound, isChosen, hasHandle, isButton }: Spot): JSX.Element | null {
  if (box === undefined) return null;
  const { x, y, width, height } = box;
  if (kind !== "job" && kind !== "context") {
    return (
      <g class="gate" transform={`translate(${x} ${y})`}>
        <title>{kind === "begin" || kind === "end" ? words.graph.gate[kind](label) : words.graph[kind]}</title>
        <rect width={width} height={height} rx={11} />
        <text x={width / 2} y={15}>
          {words.graph[kind]}
        </text>
      </g>
    );
  }
  const short = label.length > SHOWN ? `${label.slice(0, SHOWN - 1)}…` : label;
  const classes = ["node", kind, `tone-${tone}`, isFound ? "found" : "", isChosen ? "chosen" : ""].filter(Boolean).join(" ");
  const drawn = (
    <g class={classes} transform={`translate(${x} ${y})`}>
      <title>{says}</title>
      <rect width={width} height={height} rx={6} />
      <text class="name" x={10} y={17}>
        {kind === "context" ? `▸ ${short}` : short}
      </text>
      <text class="what" x={10} y={height - 8}>
        {what}
      </text>
      {hasHandle && <circle class="handle" data-from={id} cx={width} cy={height / 2} r={6} />}
    </g>
  );
  if (href !== undefined && kind === "job") {
    return (
      <a href={href} aria-label={says} data-node={isButton ? id : undefined}>
        {drawn}
      </a>
    );
  }
  return (
    <g role="button" tabIndex={0} aria-label={says} aria-pressed={isButton ? isChosen : undefined} data-node={id}>
      {drawn}
    </g>
  );
});
