/** A line drawn from a node's handle to another node. */
import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Drawing, Node } from "./definition";

interface Line {
  x: number;
  y: number;
  toX: number;
  toY: number;
}

type Connect = (from: Node, to: Node) => void;

export function useConnecting(svg: RefObject<SVGSVGElement | null>, moved: RefObject<SVGGElement | null>, drawing: Drawing, connect: Connect | undefined): JSX.Element | null {
  const [line, draw] = useState<Line>();
  // The picture may be drawn anew in the middle of a line: the line goes on, and its end is as the picture is then.
  const newest = useRef({ drawing, connect });
  newest.current = { drawing, connect };
  const wanted = connect !== undefined;
  useEffect(() => {
    const frame = svg.current;
    if (frame === null || !wanted) return undefined;
    const listening = new AbortController();
    const { signal } = listening;
    const here = ({ clientX, clientY }: PointerEvent): DOMPoint => new DOMPoint(clientX, clientY).matrixTransform(moved.current?.getScreenCTM()?.inverse());
    let from = "";
    const begin = (event: PointerEvent): void => {
      const handle = event.target instanceof Element ? event.target.closest<SVGElement>("[data-from]") : null;
      if (handle === null) return;
      // The picture does not move along.
      event.stopImmediatePropagation();
      event.preventDefault();
      from = handle.dataset["from"] ?? "";
      const { x, y } = here(event);
      draw({ x, y, toX: x, toY: y });
    };
    const move = (event: PointerEvent): void => {
      if (from === "") return;
      const { x, y } = here(event);
      draw((before) => before && { ...before, toX: x, toY: y });
    };
    const end = (event: PointerEvent): void => {
      if (from === "") return;
      const under = document.elementFromPoint(event.clientX, event.clientY)?.closest<SVGElement>("[data-node]")?.dataset["node"];
      const { drawing: now, connect: join } = newest.current;
      const [one, other] = [from, under].map((id) => now.nodes.find((node) => node.id === id));
      from = "";
      draw(undefined);
      if (one !== undefined && other !== undefined && one !== other) join?.(one, other);
    };
    frame.addEventListener("pointerdown", begin, { signal, capture: true });
    addEventListener("pointermove", move, { signal });
    addEventListener("pointerup", end, { signal });
    return () => listening.abort();
  }, [wanted]);
  return line === undefined ? null : <path class="drawn" d={`M${line.x} ${line.y}L${line.toX} ${line.toY}`} />;
}
