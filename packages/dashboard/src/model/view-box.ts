/** Which part of a picture is seen, and how large. */

export interface View {
  /** Where the picture's corner is on the screen, in pixels. */
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

interface Extent {
  readonly width: number;
  readonly height: number;
}

export const SCALE_MIN = 0.04;
export const SCALE_MAX = 3;
const SCALE_FITTED_MAX = 1.4;
const MARGIN = 32;

/** All of the picture in the middle. A small one is drawn larger, but not as large as would be strange. */
export function fitted(picture: Extent, screen: Extent): View {
  const across = (screen.width - 2 * MARGIN) / Math.max(1, picture.width);
  const down = (screen.height - 2 * MARGIN) / Math.max(1, picture.height);
  const scale = bounded(Math.min(SCALE_FITTED_MAX, across, down));
  return {
    x: (screen.width - picture.width * scale) / 2,
    y: (screen.height - picture.height * scale) / 2,
    scale,
  };
}

/** Larger or smaller, with the point of the screen staying over the same point of the picture. */
export function zoomedAt(
  { x, y, scale }: View,
  factor: number,
  point: { readonly x: number; readonly y: number },
): View {
  const next = bounded(scale * factor);
  const ratio = next / scale;
  return { x: point.x - (point.x - x) * ratio, y: point.y - (point.y - y) * ratio, scale: next };
}

/** Moved as little as is needed for a part of the picture to be seen. */
export function revealing(
  view: View,
  part: Extent & { readonly x: number; readonly y: number },
  screen: Extent,
): View {
  const shift = (from: number, length: number, room: number) => {
    const least = MARGIN - from;
    const most = room - MARGIN - (from + length);
    if (least <= 0 && most >= 0) return 0;
    return least > 0 ? least : Math.max(most, least);
  };
  const x = shift(view.x + part.x * view.scale, part.width * view.scale, screen.width);
  const y = shift(view.y + part.y * view.scale, part.height * view.scale, screen.height);
  return { ...view, x: view.x + x, y: view.y + y };
}

function bounded(scale: number): number {
  return Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale));
}
