/** Has drawings laid out by a worker, each once. */
import { useEffect, useState } from "preact/hooks";
import type { PlanContext } from "../documents";
import { words } from "../words";
import { type Drawing, drawingOf } from "./definition";
import type { Laid } from "./layout";

export interface Ready {
  drawing: Drawing;
  laid: Laid;
}

/** So many layouts are remembered. */
const KEPT = 24;
const kept = new Map<string, Ready>();

function inWorker(drawing: Drawing): { laid: Promise<Laid>; stop: () => void } {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
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

/**
 * The plan with these contexts folded, laid out; until the first layout is there, a word about what is waited for. What was
 * shown last stays until the next one is ready, so that a picture that is changed does not flicker.
 */
export function useLayout(plan: PlanContext, name: string, folded: ReadonlySet<string>): Ready | string {
  const key = `${name}\n${[...folded].sort().join("\n")}`;
  const [state, setState] = useState<Ready | string>(kept.get(key) ?? "");
  useEffect(() => {
    const known = kept.get(key);
    if (known !== undefined) {
      setState(known);
      return undefined;
    }
    let wanted = true;
    const drawing = drawingOf(plan, folded);
    setState((before) => (typeof before === "string" ? words.graph.layout(drawing.nodes.length) : before));
    const { laid, stop } = inWorker(drawing);
    laid.then(
      (found) => {
        keep(key, { drawing, laid: found });
        if (wanted) setState({ drawing, laid: found });
      },
      (error: Error) => wanted && setState(error.message),
    );
    return () => {
      wanted = false;
      stop();
    };
  }, [key]);
  return state;
}

function keep(key: string, ready: Ready): void {
  kept.set(key, ready);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
}
