// Boxes in an answer. The model writes them as plain text, four numbers from 0 to 1000 (or from 0 to 1): left, top, right and bottom as shares of the
// picture's sides. The square that it sees is squeezed, not cut, so these shares hold for the picture's own pixels.
const number = String.raw`\s*(\d{1,4}(?:\.\d+)?)\s*`;
const patterns = [
  new RegExp(`[\\[(]${number},${number},${number},${number}[\\])]`, 'g'),
  new RegExp(`\\(${number},${number}\\)\\s*,?\\s*\\(${number},${number}\\)`, 'g'),
];
const openings = /^(?:.*\b(?:there (?:is|are)|I (?:can )?see|shows?)\b)?\s*(?:an?\b|the\b)?/i;
const maximumBoxes = 50;
const maximumLabel = 40;

/**
 * Finds boxes in a text.
 * @returns array of { label, left, top, right, bottom } as shares of the sides, 0 to 1
 */
export function findBoxes(text) {
  const found = [];
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      const values = match.slice(1, 5).map(Number);
      const unit = values.every(value => value <= 1) ? 1 : 1000;
      const [left, top, right, bottom] = values.map(value => value / unit);
      if (right <= left || bottom <= top || right > 1 || bottom > 1) continue;
      found.push({ place: match.index, label: labelBefore(text, match.index), left, top, right, bottom });
    }
  }
  return found.sort((first, second) => first.place - second.place).slice(0, maximumBoxes).map(({ place, ...box }) => box);
}

/** A box in the picture's own pixels. */
export const inPixels = (box, picture) => ({
  left: Math.round(box.left * picture.width), top: Math.round(box.top * picture.height),
  right: Math.round(box.right * picture.width), bottom: Math.round(box.bottom * picture.height),
});

// The words between the last box, sentence or line and this box; of JSON, the value of "label" or the like.
function labelBefore(text, place) {
  const before = text.slice(Math.max(0, place - 200), place);
  const named = [...before.matchAll(/"(?:label|name|object|ref|shape)"\s*:\s*"([^"]{1,80})"/g)].at(-1) ?? before.match(/<ref>([^<]{1,80})<\/ref>[^<]*(?:<box>)?\[?$/);
  const words = named ? named[1] : before.replace(/<[^>]*>/g, ' ').split(/[\])}.;\n。；，,]|\band\b|和/).filter(part => part.trim().length > 1).at(-1) ?? '';
  const label = words.replace(/["'*`_#:：\[({]|^\s*[-•\d]+[.)]?\s/g, ' ').replace(/\s+/g, ' ').trim().replace(openings, '').trim();
  return label.length <= maximumLabel ? label : `…${label.slice(-maximumLabel)}`;
}
