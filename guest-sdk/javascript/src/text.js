// UTF-8. The engine inside a component has no TextEncoder and no TextDecoder, and a loop over bytes costs it 40 times what
// its own functions take for a byte. So everything goes through binary texts, which have one character for each byte.

const hasBase64 = typeof Uint8Array.fromBase64 === "function" && typeof btoa === "function" && typeof atob === "function";
/** What is put between texts that are coded together: the first needs no escape and is coded the fastest. */
const MARKS = ["*", "\0"];
/** Most arguments of one call. */
const PIECE = 4096;

/** Makes a binary text of bytes. */
export function toBinary(bytes) {
  if (hasBase64) return atob(bytes.toBase64());
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE) binary += String.fromCharCode.apply(null, bytes.subarray(at, at + PIECE));
  return binary;
}

/** Makes bytes of a binary text; throws where it is none. */
export function fromBinary(binary) {
  if (hasBase64) return Uint8Array.fromBase64(btoa(binary));
  return Uint8Array.from(binary, (character) => {
    const code = character.charCodeAt(0);
    if (code > 0xff) throw new RangeError("this is no binary text");
    return code;
  });
}

/** Tells whether bytes are ASCII. */
export function isAscii(bytes) {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  var words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
  var end = words.length & ~7;
  for (var at = 0; at < end; at += 8) {
    var all =
      words[at] | words[at + 1] | words[at + 2] | words[at + 3] | words[at + 4] | words[at + 5] | words[at + 6] | words[at + 7];
    if ((all & 0x80808080) !== 0) return false;
  }
  for (at = end * 4; at < aligned.length; at += 1) if (aligned[at] >= 0x80) return false;
  return true;
}

/** Decodes a binary text that holds UTF-8; throws a URIError where it does not. */
export function decode(binary) {
  return decodeURIComponent(escape(binary));
}

/** Encodes a text as UTF-8 in a binary text; throws a URIError over a lone surrogate. */
export function encode(text) {
  return unescape(encodeURIComponent(text));
}

/** Decodes many at once; null where one is no UTF-8, or holds what stands between them. */
export function decodeAll(binaries) {
  return allAtOnce(decode, binaries);
}

/** Encodes many at once; null where one has a lone surrogate, or holds what stands between them. */
export function encodeAll(texts) {
  return allAtOnce(encode, texts);
}

function allAtOnce(code, texts) {
  try {
    for (const mark of MARKS) {
      const coded = code(texts.join(mark)).split(mark);
      if (coded.length === texts.length) return coded;
    }
  } catch {
    // Whoever looks at them one by one finds out which one it is.
  }
  return null;
}

/** Returns where bytes stop being UTF-8, or their end. */
export function validUpTo(bytes) {
  const end = bytes.length;
  let at = 0;
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
