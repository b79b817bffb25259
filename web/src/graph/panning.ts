/** Moving a large picture by pointer, wheel and keys: only one attribute changes, so nothing is drawn anew. */
import { type RefObject } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Box, Laid } from "./layout";

const LEAST = 0.02;
const MOST = 3;
const STEP = 60;
/** Below this, words are too small to be read, and drawing thousands of them is what takes time. */
const READABLE = 0.3;

export interface Panning {
  zoom: (factor: number) => void;
  fit: () => void;
  centre: (box: Box) => void;
}

class Camera implements Panning {
  private x = 0;
  private y = 0;
  private scale = 1;

  constructor(
    private readonly frame: RefObject<SVGSVGElement | null>,
    private readonly moved: RefObject<SVGGElement | null>,
    public laid: Laid,
  ) {}

  private get size(): { width: number; height: number } {
    return this.frame.current?.getBoundingClientRect() ?? { width: 1, height: 1 };
  }

  private put(): void {
    this.moved.current?.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
    this.frame.current?.classList.toggle("far", this.scale < READABLE);
  }

  fit(): void {
    const { width, height } = this.size;
    this.scale = Math.min(1, Math.max(LEAST, Math.min(width / this.laid.width, height / this.laid.height)));
    this.x = (width - this.laid.width * this.scale) / 2;
    this.y = (height - this.laid.height * this.scale) / 2;
    this.put();
  }

  centre(box: Box): void {
    const { width, height } = this.size;
    this.scale = Math.max(this.scale, 0.8);
    this.x = width / 2 - (box.x + box.width / 2) * this.scale;
    this.y = height / 2 - (box.y + box.height / 2) * this.scale;
    this.put();
  }

  move(x: number, y: number): void {
    this.x += x;
    this.y += y;
    this.put();
  }

  zoom(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.put();
  }
}

const KEYS: Record<string, (camera: Camera) => void> = {
  ArrowLeft: (camera) => camera.move(STEP, 0),
  ArrowRight: (camera) => camera.move(-STEP, 0),
  ArrowUp: (camera) => camera.move(0, STEP),
  ArrowDown: (camera) => camera.move(0, -STEP),
  "+": (camera) => camera.zoom(1.25),
  "-": (camera) => camera.zoom(0.8),
  "0": (camera) => camera.fit(),
};

function listen(svg: SVGSVGElement, camera: Camera): AbortController {
  const until = new AbortController();
  const { signal } = until;
  let held: { x: number; y: number } | undefined;
  svg.addEventListener("pointerdown", (event) => (held = { x: event.clientX, y: event.clientY }), { signal });
  svg.addEventListener(
    "pointermove",
    (event) => {
      if (held === undefined || event.buttons === 0) return;
      if (!svg.hasPointerCapture(event.pointerId) && Math.hypot(event.clientX - held.x, event.clientY - held.y) < 4) return;
      svg.setPointerCapture(event.pointerId);
      camera.move(event.clientX - held.x, event.clientY - held.y);
      held = { x: event.clientX, y: event.clientY };
    },
    { signal },
  );
  svg.addEventListener("pointerup", () => (held = undefined), { signal });
  svg.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const { left, top } = svg.getBoundingClientRect();
      camera.zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
    },
    { signal, passive: false },
  );
  svg.addEventListener(
    "keydown",
    (event) => {
      const act = KEYS[event.key];
      if (act === undefined) return;
      event.preventDefault();
      act(camera);
    },
    { signal },
  );
  return until;
}

/** `steady`: a new layout is that of a picture somebody works on, so it stays where it is. */
export function usePanning(frame: RefObject<SVGSVGElement | null>, moved: RefObject<SVGGElement | null>, laid: Laid, steady: boolean): Panning {
  const camera = useMemo(() => new Camera(frame, moved, laid), []);
  useEffect(() => {
    if (frame.current === null) return undefined;
    camera.fit();
    const listening = listen(frame.current, camera);
    return () => listening.abort();
  }, [camera]);
  useEffect(() => {
    camera.laid = laid;
    if (!steady) camera.fit();
  }, [laid]);
  return camera;
}
