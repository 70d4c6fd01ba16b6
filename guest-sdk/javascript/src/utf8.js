// UTF-8 by hand: the engine inside a component has no TextEncoder and no TextDecoder.

/** Decodes bytes that are known to be UTF-8. */
export function decode(bytes, start, end) {
  let text = "";
  let at = start;
  while (at < end) {
    const first = bytes[at];
    if (first < 0x80) {
      let stop = at + 1;
      while (stop < end && stop - at < 4096 && bytes[stop] < 0x80) stop += 1;
      text += String.fromCharCode.apply(null, bytes.subarray(at, stop));
      at = stop;
    } else if (first < 0xe0) {
      text += String.fromCharCode(((first & 0x1f) << 6) | (bytes[at + 1] & 0x3f));
      at += 2;
    } else if (first < 0xf0) {
      text += String.fromCharCode(((first & 0x0f) << 12) | ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f));
      at += 3;
    } else {
      text += String.fromCodePoint(
        ((first & 0x07) << 18) | ((bytes[at + 1] & 0x3f) << 12) | ((bytes[at + 2] & 0x3f) << 6) | (bytes[at + 3] & 0x3f),
      );
      at += 4;
    }
  }
  return text;
}

/** Appends a text to a growing array of bytes; false when it has a lone surrogate, which is no text. */
export function encode(text, heap) {
  const length = text.length;
  // An interpreter calls a function dearly, so that none is called for each byte.
  heap.room(length * 3);
  const bytes = heap.bytes;
  let to = heap.length;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) {
      bytes[to++] = code;
    } else if (code < 0x800) {
      bytes[to++] = 0xc0 | (code >> 6);
      bytes[to++] = 0x80 | (code & 0x3f);
    } else if (code < 0xd800 || code > 0xdfff) {
      bytes[to++] = 0xe0 | (code >> 12);
      bytes[to++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[to++] = 0x80 | (code & 0x3f);
    } else {
      const whole = text.codePointAt(at);
      if (whole <= 0xffff) return false;
      bytes[to++] = 0xf0 | (whole >> 18);
      bytes[to++] = 0x80 | ((whole >> 12) & 0x3f);
      bytes[to++] = 0x80 | ((whole >> 6) & 0x3f);
      bytes[to++] = 0x80 | (whole & 0x3f);
      at += 1;
    }
  }
  heap.length = to;
  return true;
}

/** Returns where bytes stop being UTF-8, or `end`. */
export function validUpTo(bytes, start, end) {
  let at = start;
  while (at < end) {
    const first = bytes[at];
    if (first < 0x80) {
      at += 1;
      continue;
    }
    const more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
    if (more === 0 || at + more >= end) return at;
    const second = bytes[at + 1];
    const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) return at;
    for (let next = 2; next <= more; next += 1) if ((bytes[at + next] & 0xc0) !== 0x80) return at;
    at += more + 1;
  }
  return end;
}
