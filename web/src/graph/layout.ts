/** Where nodes and edges go. Runs in a worker: a large plan takes seconds, and the page goes on meanwhile. */
import { Graph, layout } from "@dagrejs/dagre";
import type { Drawing, Edge, Kind } from "./definition";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Laid {
  boxes: Record<string, Box>;
  contexts: Record<string, Box>;
  paths: string[];
  width: number;
  height: number;
}

/** From how many nodes on contexts are not kept together, and ranks are found the quick way. */
const LARGE = 300;
const JOB = { width: 168, height: 40 };
const SIZES: Record<Kind, { width: number; height: number }> = {
  job: JOB,
  context: { width: JOB.width, height: 48 },
  and: { width: 34, height: 22 },
  or: { width: 34, height: 22 },
  begin: { width: 44, height: 22 },
  end: { width: 44, height: 22 },
};
/** Above the jobs of a context, for its name. */
const ROOM = 10;

interface Placed extends Box {
  points?: { x: number; y: number }[];
}

export function laidOut({ nodes, edges, contexts }: Drawing): Laid {
  const large = nodes.length > LARGE;
  const graph = new Graph({ compound: !large, multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: large ? 14 : 26, ranksep: 48, edgesep: 8, marginx: 16, marginy: 16, ranker: large ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  const folded = new Set(nodes.filter((node) => node.kind === "context").map((node) => node.id));
  for (const node of nodes) graph.setNode(node.id, { ...SIZES[node.kind] });
  if (!large) {
    const used = contexts.filter(({ parent }) => parent !== "");
    const names = new Set(used.map(({ name }) => name));
    for (const { name } of used) graph.setNode(`context ${name}`, {});
    for (const { name, parent } of used) if (names.has(parent)) graph.setParent(`context ${name}`, `context ${parent}`);
    for (const node of nodes) if (names.has(node.context)) graph.setParent(node.id, `context ${node.context}`);
  }
  edges.forEach((edge, place) => {
    if (shapes(edge, folded)) graph.setEdge(edge.from, edge.to, {}, String(place));
  });
  layout(graph);
  return read(graph, { nodes, edges, contexts });
}

/** Copies do not pull their contexts into one long row; where contexts are folded, that is their order. */
const shapes = (edge: Edge, folded: Set<string>): boolean => edge.kind !== "same" || folded.has(edge.from) || folded.has(edge.to);

function read(graph: Graph, { nodes, edges, contexts }: Drawing): Laid {
  const box = (id: string): Box => {
    const { x, y, width, height } = graph.node(id) as Placed;
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const boxes = Object.fromEntries(nodes.map((node) => [node.id, box(node.id)]));
  const path = (place: number): string => {
    const edge = edges[place];
    if (edge === undefined) return "";
    if (!graph.hasEdge(edge.from, edge.to, String(place))) return arc(boxes[edge.from], boxes[edge.to]);
    const { points = [] } = graph.edge(edge.from, edge.to, String(place)) as Placed;
    return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  };
  const whole = graph.graph() as { width?: number; height?: number };
  const shown = contexts.filter(({ name }) => graph.hasNode(`context ${name}`));
  return {
    boxes,
    contexts: Object.fromEntries(
      shown.map(({ name }) => {
        const { x, y, width, height } = box(`context ${name}`);
        return [name, { x, y: y - ROOM, width, height: height + ROOM }];
      }),
    ),
    paths: edges.map((_, place) => path(place)),
    width: whole.width ?? 0,
    height: whole.height ?? 0,
  };
}

/** From the right of one box to the left of another, wherever that is. */
function arc(from: Box | undefined, to: Box | undefined): string {
  if (from === undefined || to === undefined) return "";
  const [x, y] = [from.x + from.width, from.y + from.height / 2];
  const [endX, endY] = [to.x, to.y + to.height / 2];
  const bend = Math.max(40, Math.min(160, Math.abs(endX - x) / 2));
  return `M${x.toFixed(1)} ${y.toFixed(1)}C${(x + bend).toFixed(1)} ${y.toFixed(1)} ${(endX - bend).toFixed(1)} ${endY.toFixed(1)} ${endX.toFixed(1)} ${endY.toFixed(1)}`;
}
