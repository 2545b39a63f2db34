/* What the server sends of DICOM images (files/dicom/reader.py): a head, then the differences from one pixel to the next. */

/** The images of an answer: [{ at, error } or { at, rows, columns, channels, bits, signed, slope, intercept, windows,
    sigmoid, mapped, proposed, inverted, reduced, spacing, values }]. Throws { reason } when the whole could not be read. */
export function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const heads = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (heads.error) {
    throw { reason: heads.error };
  }
  let from = 4 + length;
  return heads.map((head) => {
    if (!head.error) {
      head.values = values(new Uint8Array(buffer, from, head.length), head);
    }
    from += head.length;
    return head;
  });
}

function values(bytes, head) {
  const { rows, columns, channels, bits, signed } = head;
  const size = rows * columns;
  const wide = bits === 16;
  const found = wide ? (signed ? new Int16Array(size) : new Uint16Array(size)) : new Uint8Array(size * channels);
  for (let channel = 0; channel < channels; channel += 1) {
    const low = channel * size * (wide ? 2 : 1);
    let at = 0;
    for (let row = 0; row < rows; row += 1) {
      let value = 0;
      for (let column = 0; column < columns; column += 1) {
        const step = wide ? bytes[low + at] | (bytes[low + size + at] << 8) : bytes[low + at];
        value += (step >>> 1) ^ -(step & 1);
        found[at * channels + channel] = value; // the typed array keeps what lies within its bits
        at += 1;
      }
    }
  }
  return !wide && signed ? new Int8Array(found.buffer) : found;
}

const table = new Uint32Array(65536);

function tabulate(image, centre, width, inverted) {
  const { slope, intercept } = image;
  const lowest = image.signed ? -(1 << (image.bits - 1)) : 0;
  const levels = 1 << image.bits;
  const bottom = centre - width / 2;
  const wide = Math.max(width, 1e-6);
  const dark = inverted !== image.inverted; // MONOCHROME1 says that its lowest value is white
  for (let index = 0; index < levels; index += 1) {
    const value = (index + lowest) * slope + intercept;
    let grey = 255 * (image.sigmoid ? 1 / (1 + Math.exp((-4 * (value - centre)) / wide)) : (value - bottom) / wide);
    grey = grey < 0 ? 0 : grey > 255 ? 255 : Math.round(grey);
    if (dark) {
      grey = 255 - grey;
    }
    table[index] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
  return -lowest;
}

/** Draw an image into `canvas` at its own size, through a window (in its true values). */
export function paint(canvas, image, centre, width, inverted) {
  const { rows, columns, channels, values: source } = image;
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const context = canvas.getContext("2d");
  const drawn = context.createImageData(columns, rows);
  const target = new Uint32Array(drawn.data.buffer);
  if (channels === 3) {
    const turn = inverted ? 0xffffff : 0;
    for (let at = 0, from = 0; at < target.length; at += 1, from += 3) {
      target[at] = (0xff000000 | (source[from + 2] << 16) | (source[from + 1] << 8) | source[from]) ^ turn;
    }
  } else {
    const zero = tabulate(image, centre, width, inverted);
    for (let at = 0; at < target.length; at += 1) {
      target[at] = table[source[at] + zero];
    }
  }
  context.putImageData(drawn, 0, 0);
}
