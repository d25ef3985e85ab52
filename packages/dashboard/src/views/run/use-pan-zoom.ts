import {
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Box, Layout } from "../../model/layout.ts";
import { fitted, revealing, type View, zoomedAt } from "../../model/view-box.ts";

interface PanZoom {
  readonly screen: RefObject<HTMLElement | null>;
  readonly view: View;
  /** Whether a person has chosen what is seen; until then all of it is. */
  readonly moved: boolean;
  /** Whether the next change is to be seen as a movement. */
  readonly gliding: boolean;
  readonly zoom: (factor: number) => void;
  readonly fit: () => void;
  readonly handlers: {
    readonly onPointerDown: (event: PointerEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerUp: () => void;
    readonly onPointerCancel: () => void;
  };
}

/** A wheel's unit, in pixels, when it counts lines. */
const LINE = 16;
/** How far a pointer goes before it drags the picture; less is a click. */
const DRAG_FROM = 4;

/** Keeps all of the picture in sight until a person moves it; then only what is selected. */
export function usePanZoom(layout: Layout, selected: Box | undefined): PanZoom {
  const screen = useRef<HTMLElement>(null);
  const [view, setView] = useState<View>({ x: 0, y: 0, scale: 1 });
  const [moved, setMoved] = useState(false);
  const [gliding, setGliding] = useState(false);
  const extent = useExtent(screen);
  const { width, height } = layout;

  useLayoutEffect(() => {
    if (!moved && extent.width > 0) setView(fitted({ width, height }, extent));
  }, [moved, extent, width, height]);
  useEffect(() => {
    // From the first picture on.
    if (extent.width > 0) setGliding(true);
  }, [extent.width]);

  const key = selected?.display.key;
  const latest = useRef(selected);
  latest.current = selected;
  useEffect(() => {
    const box = latest.current;
    if (key === undefined || !box || !moved) return;
    setGliding(true);
    setView((before) => revealing(before, box, extent));
  }, [key, moved, extent]);

  const zoom = useCallback(
    (factor: number, point = { x: extent.width / 2, y: extent.height / 2 }) => {
      setMoved(true);
      setView((before) => zoomedAt(before, factor, point));
    },
    [extent],
  );
  const fit = useCallback(() => {
    setGliding(true);
    setMoved(false);
  }, []);
  useWheel(screen, { zoom, setView, setMoved, setGliding });
  return {
    screen,
    view,
    moved,
    gliding,
    zoom,
    fit,
    handlers: useDrag({ setView, setMoved, setGliding }),
  };
}

function useExtent(screen: RefObject<HTMLElement | null>) {
  const [extent, setExtent] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = screen.current;
    if (!element) return;
    const measure = () => setExtent({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [screen]);
  return extent;
}

interface Setters {
  readonly setView: (change: (before: View) => View) => void;
  readonly setMoved: (moved: boolean) => void;
  readonly setGliding: (gliding: boolean) => void;
}

interface WheelSetters extends Setters {
  readonly zoom: (factor: number, point: { x: number; y: number }) => void;
}

/** The wheel zooms; with Shift, or sideways, it moves. React listens to it in a way that cannot keep the page still. */
function useWheel(screen: RefObject<HTMLElement | null>, setters: WheelSetters): void {
  const { zoom, setView, setMoved, setGliding } = setters;
  useEffect(() => {
    const element = screen.current;
    if (!element) return;
    const turn = (event: WheelEvent) => {
      event.preventDefault();
      setGliding(false);
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
      const { left, top } = element.getBoundingClientRect();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        setMoved(true);
        const by = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
        setView((before) => ({ ...before, x: before.x - by * unit }));
      } else {
        const point = { x: event.clientX - left, y: event.clientY - top };
        zoom(Math.exp((-event.deltaY * unit) / 400), point);
      }
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [screen, zoom, setView, setMoved, setGliding]);
}

function useDrag({ setView, setMoved, setGliding }: Setters): PanZoom["handlers"] {
  const from = useRef<{ x: number; y: number; dragging: boolean }>(undefined);
  const end = () => {
    from.current = undefined;
  };
  return {
    onPointerDown: (event) => {
      if (event.button === 0)
        from.current = { x: event.clientX, y: event.clientY, dragging: false };
    },
    onPointerMove: (event) => {
      const start = from.current;
      if (!start) return;
      const by = { x: event.clientX - start.x, y: event.clientY - start.y };
      if (!start.dragging && Math.hypot(by.x, by.y) < DRAG_FROM) return;
      if (!start.dragging) event.currentTarget.setPointerCapture(event.pointerId);
      from.current = { x: event.clientX, y: event.clientY, dragging: true };
      setGliding(false);
      setMoved(true);
      setView((before) => ({ ...before, x: before.x + by.x, y: before.y + by.y }));
    },
    onPointerUp: end,
    onPointerCancel: end,
  };
}
