// The rules of README.md. Pure: a text goes in, a text or bigint comes out, null for NULL.

type Text = string | null;

const BLANKS = /[ \t\n\r\u00a0]+/;
const AROUND = /^[ \t\n\r\u00a0]+|[ \t\n\r\u00a0]+$/g;

const trim = (text: string): string => text.replace(AROUND, "");
const words = (text: string): string[] => text.split(BLANKS).filter((word) => word !== "");
const join = (list: string[]): Text => (list.length === 0 ? null : list.join(" "));

export function name(typed: Text): [first: Text, last: Text] {
  if (typed === null) return [null, null];
  const comma = typed.indexOf(",");
  if (comma >= 0) {
    return [join(words(typed.slice(comma + 1).split(",").join(" "))), join(words(typed.slice(0, comma)))];
  }
  const list = words(typed);
  const last = list.length < 2 ? undefined : list.pop();
  return [join(list), last ?? null];
}

export function email(typed: Text): Text {
  if (typed === null) return null;
  const text = trim(typed).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return /^[^@ \t\n\r\u00a0]+@[^@ \t\n\r\u00a0]+$/.test(text) ? text : null;
}

export function phone(typed: Text): Text {
  if (typed === null) return null;
  const text = trim(typed);
  const digits = text.replace(/[^0-9]/g, "");
  const plus = text.startsWith("+");
  const number = !plus && digits.startsWith("00") ? digits.slice(2) : digits;
  if (number.length < 5 || number.length > 15) return null;
  return plus || number !== digits ? `+${number}` : number;
}

export function cents(typed: Text): bigint | null {
  if (typed === null) return null;
  const parts = /^(-?)([0-9,]*[0-9][0-9,]*)(?:\.([0-9]{1,2}))?$/.exec(trim(typed));
  if (parts === null) return null;
  const [, sign, whole = "", decimals = ""] = parts;
  const value = BigInt(whole.split(",").join("") + `${decimals}00`.slice(0, 2));
  if (value >= 2n ** 63n) return null;
  return sign === "-" ? -value : value;
}
