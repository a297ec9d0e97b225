// What the model sees: the picture squeezed to a square, with the pixels of Pillow's bicubic filter (Keys' cubic with a = -0.5, widened by the scale when
// shrinking, 22 fraction bits, rounded to 8 bits after each pass). PillowResize.cs does the same for the model.
const fractionBits = 22;
const cubicA = -0.5;

/** The square of a picture as ImageData. */
export async function squareOf(picture, size) {
  const bitmap = await createImageBitmap(picture.blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const source = context.getImageData(0, 0, bitmap.width, bitmap.height);
  bitmap.close();
  return squeeze(source, size);
}

/** @param source ImageData, whose alpha is dropped */
export function squeeze(source, size) {
  const { width, height, data } = source;
  const narrow = width === size ? data : pass(data, { count: height, step: width * 4 }, { length: width, step: 4 }, size, { count: size * 4, step: 4 });
  const square = height === size ? narrow : pass(narrow, { count: size, step: 4 }, { length: height, step: size * 4 }, size, { count: 4, step: size * 4 });
  const result = new ImageData(size, size);
  for (let place = 0; place < result.data.length; place += 4) {
    result.data.set(square.subarray(place, place + 3), place);
    result.data[place + 3] = 255;
  }
  return result;
}

// Resamples `lines.count` lines; elements of a line lie `along.step` bytes apart.
function pass(source, lines, along, size, target) {
  const result = new Uint8ClampedArray(lines.count * size * 4);
  const weights = weightsOf(along.length, size);
  for (let line = 0; line < lines.count; line++) {
    for (let place = 0; place < size; place++) {
      const { start, taps } = weights[place];
      let from = line * lines.step + start * along.step;
      let red = 1 << (fractionBits - 1), green = red, blue = red;
      for (let tap = 0; tap < taps.length; tap++, from += along.step) {
        const weight = taps[tap];
        red += source[from] * weight;
        green += source[from + 1] * weight;
        blue += source[from + 2] * weight;
      }
      const to = line * target.count + place * target.step;
      result[to] = red >> fractionBits;
      result[to + 1] = green >> fractionBits;
      result[to + 2] = blue >> fractionBits;
    }
  }
  return result;
}

function weightsOf(length, size) {
  const scale = length / size, stretch = Math.max(scale, 1), radius = 2 * stretch;
  return Array.from({ length: size }, (_, target) => {
    const center = (target + 0.5) * scale;
    const start = Math.max(Math.trunc(center - radius + 0.5), 0);
    const count = Math.min(Math.trunc(center + radius + 0.5), length) - start;
    const exact = Array.from({ length: count }, (_, tap) => cubic((tap + start - center + 0.5) * (1 / stretch)));
    const sum = exact.reduce((total, weight) => total + weight, 0);
    const normalise = sum === 0 ? 1 : 1 / sum;
    return { start, taps: Int32Array.from(exact, weight => Math.trunc(weight * normalise * (1 << fractionBits) + (weight * normalise < 0 ? -0.5 : 0.5))) };
  });
}

function cubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return ((cubicA + 2) * x - (cubicA + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * cubicA : 0;
}
