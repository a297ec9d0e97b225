// From a file of the user to a picture that can be kept and sent.
import { newId } from '../store.js';

// What the server decodes. Other formats are turned into PNG if the browser can read them.
const served = new Set(['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp', 'image/tiff']);

/** Why a file cannot be used: `code` is a key of the texts "picture.…". */
export class PictureError extends Error {
  constructor(code, name, values = {}) {
    super(`${name}: ${code}`);
    this.code = code;
    this.values = { name, ...values };
  }
}

/**
 * Reads a file as a picture: { id, name, type, width, height, blob }, upright, in its own pixels.
 * @param limits { bytes, pixels } of the server
 */
export async function readPicture(file, limits) {
  const name = file.name || 'picture.png';
  if (file.size > limits.bytes) throw new PictureError('tooLarge', name, { limit: Math.floor(limits.bytes / 1e6) });
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new PictureError('unreadable', name);
  }
  const { width, height } = bitmap;
  try {
    if (width * height > limits.pixels) throw new PictureError('tooManyPixels', name, { width, height, limit: Math.floor(limits.pixels / 1e6) });
    const blob = served.has(file.type) ? file.slice(0, file.size, file.type) : await pngOf(bitmap);
    return { id: newId(), name, type: blob.type, width, height, blob };
  } finally {
    bitmap.close();
  }
}

/** The pictures of a drop or a paste. */
export const filesOf = transfer => [...(transfer?.files ?? [])].filter(file => file.type.startsWith('image/'));

/** A picture as the server takes it. */
export function dataUrl(picture) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(picture.blob);
  });
}

const addresses = new WeakMap();

/** An address of the picture for <img>, the same for the life of the blob. */
export function addressOf(picture) {
  let address = addresses.get(picture.blob);
  if (!address) addresses.set(picture.blob, address = URL.createObjectURL(picture.blob));
  return address;
}

async function pngOf(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  return canvas.convertToBlob({ type: 'image/png' });
}
