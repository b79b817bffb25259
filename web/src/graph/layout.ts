/** Where nodes and edges go. Runs in a worker: a large plan takes seconds, and the page goes on meanwhile. */
import { Graph, layout } from "@dagrejs/dagre";
import type { Drawing } from "./definition";

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
const GATE = { width: 34, height: 22 };
/** Above the jobs of a context, for its name. */
const ROOM = 8;

interface Placed extends Box {
  points?: { x: number; y: number }[];
}

export function laidOut({ nodes, edges, contexts }: Drawing): Laid {
  const large = nodes.length > LARGE;
  const graph = new Graph({ compound: !large, multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: large ? 14 : 26, ranksep: 48, edgesep: 8, marginx: 16, marginy: 16, ranker: large ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) graph.setNode(node.id, { ...(node.kind === "job" ? JOB : GATE) });
  if (!large) {
    const used = contexts.filter(({ parent }) => parent !== "");
    const names = new Set(used.map(({ name }) => name));
    for (const { name } of used) graph.setNode(`context ${name}`, {});
    for (const { name, parent } of used) if (names.has(parent)) graph.setParent(`context ${name}`, `context ${parent}`);
    for (const node of nodes) if (names.has(node.context)) graph.setParent(node.id, `context ${node.context}`);
  }
  edges.forEach((edge, place) => graph.setEdge(edge.from, edge.to, {}, String(place)));
  layout(graph);
  return read(graph, { nodes, edges, contexts });
}

function read(graph: Graph, { nodes, edges, contexts }: Drawing): Laid {
  const box = (id: string): Box => {
    const { x, y, width, height } = graph.node(id) as Placed;
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const path = (place: number): string => {
    const edge = edges[place];
    const { points = [] } = edge === undefined ? {} : (graph.edge(edge.from, edge.to, String(place)) as Placed);
    return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  };
  const whole = graph.graph() as { width?: number; height?: number };
  const shown = contexts.filter(({ name }) => graph.hasNode(`context ${name}`));
  return {
    boxes: Object.fromEntries(nodes.map((node) => [node.id, box(node.id)])),
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
