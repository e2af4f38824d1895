/** Which part of an image is seen: its pixel in the upper left corner, and how large a pixel is. */

export interface Place {
  left: number;
  top: number;
  /** Pixels of the screen for one of the image. */
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const LARGEST = 40;

/** All of the image, in the middle. */
export function fitted(image: Size, screen: Size): Place {
  const scale = Math.min(screen.width / image.width, screen.height / image.height, LARGEST);
  return { scale, left: (image.width - screen.width / scale) / 2, top: (image.height - screen.height / scale) / 2 };
}

/** Nearer or farther, while the point of the screen stays over the same point of the image. */
export function zoomed(place: Place, factor: number, x: number, y: number, image: Size, screen: Size): Place {
  const smallest = Math.min(fitted(image, screen).scale, 1);
  const scale = Math.min(LARGEST, Math.max(smallest, place.scale * factor));
  return { scale, left: place.left + x / place.scale - x / scale, top: place.top + y / place.scale - y / scale };
}

/** Moved by pixels of the screen; half of the screen always shows the image. */
export function moved(place: Place, x: number, y: number, image: Size, screen: Size): Place {
  const within = (start: number, by: number, all: number, seen: number): number =>
    Math.min(all - seen / place.scale / 2, Math.max(-seen / place.scale / 2, start - by / place.scale));
  return {
    scale: place.scale,
    left: within(place.left, x, image.width, screen.width),
    top: within(place.top, y, image.height, screen.height),
  };
}

/** Moved so that a point of the image is in the middle, unless it is seen already. */
export function showing(place: Place, column: number, row: number, screen: Size): Place {
  const [x, y] = [(column - place.left) * place.scale, (row - place.top) * place.scale];
  if (x > 20 && y > 20 && x < screen.width - 20 && y < screen.height - 20) return place;
  return { ...place, left: column - screen.width / place.scale / 2, top: row - screen.height / place.scale / 2 };
}
