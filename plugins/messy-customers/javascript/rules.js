// The rules of README.md. Pure: a text goes in, a text or bigint comes out, null for NULL.

const BLANKS = /[ \t\n\r\u00a0]+/;
const AROUND = /^[ \t\n\r\u00a0]+|[ \t\n\r\u00a0]+$/g;

const trim = (text) => text.replace(AROUND, "");
const words = (text) => text.split(BLANKS).filter((word) => word !== "");
const join = (list) => (list.length === 0 ? null : list.join(" "));

export function name(typed) {
  if (typed === null) return [null, null];
  const comma = typed.indexOf(",");
  if (comma >= 0) {
    return [join(words(typed.slice(comma + 1).replaceAll(",", " "))), join(words(typed.slice(0, comma)))];
  }
  const list = words(typed);
  return list.length < 2 ? [join(list), null] : [join(list.slice(0, -1)), list[list.length - 1]];
}

export function email(typed) {
  if (typed === null) return null;
  const text = trim(typed).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return /^[^@ \t\n\r\u00a0]+@[^@ \t\n\r\u00a0]+$/.test(text) ? text : null;
}

export function phone(typed) {
  if (typed === null) return null;
  const text = trim(typed);
  let digits = text.replace(/[^0-9]/g, "");
  let plus = text.startsWith("+");
  if (!plus && digits.startsWith("00")) {
    digits = digits.slice(2);
    plus = true;
  }
  return digits.length < 5 || digits.length > 15 ? null : (plus ? "+" : "") + digits;
}

export function cents(typed) {
  if (typed === null) return null;
  const parts = /^(-?)([0-9,]*[0-9][0-9,]*)(?:\.([0-9]{1,2}))?$/.exec(trim(typed));
  if (parts === null) return null;
  const value = BigInt(parts[2].replaceAll(",", "") + ((parts[3] ?? "") + "00").slice(0, 2));
  if (value >= 2n ** 63n) return null;
  return parts[1] === "-" ? -value : value;
}
