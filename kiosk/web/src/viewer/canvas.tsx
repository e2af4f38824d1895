/** The picture: drag to move, wheel or pinch to come nearer, click a cell. All of it works from the keyboard. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { draw, type Look } from "./draw.ts";
import type { Raster } from "./npy.ts";
import { fitted, moved, showing, zoomed, type Place, type Size } from "./place.ts";

const STEP = 60;
const NEARER = 1.25;
const CLICK = 4;

interface Given {
  pixels: Raster | undefined;
  labels: Raster;
  look: Look;
  chosen: number;
  /** Where the chosen cell lies, column and row. */
  centre: readonly [number, number] | undefined;
  onChoose: (label: number) => void;
  onStep: (by: number) => void;
  name: string;
}

export function Canvas({ pixels, labels, look, chosen, centre, onChoose, onStep, name }: Given) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const screen = useSize(canvas);
  const [place, setPlace] = useState<Place>();
  const shown = place ?? fitted(labels, screen);
  useEffect(() => setPlace(undefined), [labels.width, labels.height, screen.width]);
  useEffect(() => {
    if (centre) setPlace((now) => now && showing(now, ...centre, screen));
  }, [centre]);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !screen.width) return;
    const picture = context.createImageData(screen.width, screen.height);
    draw(picture.data, screen.width, screen.height, shown, pixels, labels, look, chosen);
    context.putImageData(picture, 0, 0);
  });
  const move = (x: number, y: number): void => setPlace(moved(shown, x, y, labels, screen));
  const zoom = (factor: number, x = screen.width / 2, y = screen.height / 2): void =>
    setPlace(zoomed(shown, factor, x, y, labels, screen));
  const hand = useHand({ move, zoom, click: (x, y) => onChoose(labelAt(labels, shown, x, y)) });
  useWheel(canvas, zoom);
  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(STEP, 0),
    ArrowRight: () => move(-STEP, 0),
    ArrowUp: () => move(0, STEP),
    ArrowDown: () => move(0, -STEP),
    "+": () => zoom(NEARER),
    "=": () => zoom(NEARER),
    "-": () => zoom(1 / NEARER),
    "0": () => setPlace(undefined),
    n: () => onStep(1),
    p: () => onStep(-1),
    Escape: () => onChoose(0),
  };
  return (
    <div className="stage">
      <canvas
        ref={canvas}
        width={screen.width}
        height={screen.height}
        tabIndex={0}
        role="application"
        aria-label={`${name}. Arrow keys move, plus and minus zoom, 0 shows all, N and P go from cell to cell.`}
        {...hand}
        onKeyDown={(event) => {
          const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
          if (!act) return;
          event.preventDefault();
          act();
        }}
      />
      <div className="zoom">
        <button onClick={() => zoom(NEARER)} aria-label="Nearer">
          +
        </button>
        <button onClick={() => zoom(1 / NEARER)} aria-label="Farther">
          −
        </button>
        <button onClick={() => setPlace(undefined)}>All</button>
      </div>
    </div>
  );
}

function labelAt(labels: Raster, place: Place, x: number, y: number): number {
  const [column, row] = [Math.floor(place.left + x / place.scale), Math.floor(place.top + y / place.scale)];
  const inside = column >= 0 && row >= 0 && column < labels.width && row < labels.height;
  return inside ? (labels.values[row * labels.width + column] ?? 0) : 0;
}

/** The canvas's size in pixels of the screen. */
function useSize(canvas: React.RefObject<HTMLCanvasElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (!canvas.current) return undefined;
    const watch = new ResizeObserver(([entry]) => {
      const box = entry!.contentRect;
      setSize({ width: Math.round(box.width * devicePixelRatio), height: Math.round(box.height * devicePixelRatio) });
    });
    watch.observe(canvas.current);
    return () => watch.disconnect();
  }, [canvas]);
  return size;
}

interface Hand {
  move: (x: number, y: number) => void;
  zoom: (factor: number, x: number, y: number) => void;
  click: (x: number, y: number) => void;
}

/** Mouse, pen or fingers. */
function useHand(hand: Hand) {
  const fingers = useRef(new Map<number, { x: number; y: number }>());
  const way = useRef(0);
  const spot = (event: { clientX: number; clientY: number; currentTarget: Element }): { x: number; y: number } => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: (event.clientX - box.left) * devicePixelRatio, y: (event.clientY - box.top) * devicePixelRatio };
  };
  return {
    onPointerDown: (event: React.PointerEvent) => {
      event.currentTarget.setPointerCapture(event.pointerId);
      if (!fingers.current.size) way.current = 0;
      fingers.current.set(event.pointerId, spot(event));
    },
    onPointerMove: (event: React.PointerEvent) => {
      const before = fingers.current.get(event.pointerId);
      if (!before) return;
      const now = spot(event);
      const other = [...fingers.current].find(([id]) => id !== event.pointerId)?.[1];
      way.current += Math.hypot(now.x - before.x, now.y - before.y);
      fingers.current.set(event.pointerId, now);
      if (other) hand.zoom(apart(now, other) / apart(before, other), other.x, other.y);
      else if (way.current > CLICK) hand.move(now.x - before.x, now.y - before.y);
    },
    onPointerUp: (event: React.PointerEvent) => {
      const { x, y } = spot(event);
      if (fingers.current.size === 1 && way.current <= CLICK) hand.click(x, y);
      fingers.current.delete(event.pointerId);
    },
    onPointerCancel: (event: React.PointerEvent) => fingers.current.delete(event.pointerId),
  };
}

/** React's own listener could not keep the page from scrolling. */
function useWheel(canvas: React.RefObject<HTMLCanvasElement | null>, zoom: Hand["zoom"]): void {
  const latest = useRef(zoom);
  latest.current = zoom;
  useEffect(() => {
    const turned = (event: WheelEvent): void => {
      event.preventDefault();
      latest.current(Math.exp(-event.deltaY / 500), event.offsetX * devicePixelRatio, event.offsetY * devicePixelRatio);
    };
    const element = canvas.current;
    element?.addEventListener("wheel", turned, { passive: false });
    return () => element?.removeEventListener("wheel", turned);
  }, [canvas]);
}

function apart(one: { x: number; y: number }, other: { x: number; y: number }): number {
  return Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
}
