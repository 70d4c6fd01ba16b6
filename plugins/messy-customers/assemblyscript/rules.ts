// The rules of README.md. Pure: a text goes in, a text or cell comes out, null for NULL.
import { Cell } from "../../../guest-sdk/assemblyscript/assembly/packed";

function isBlank(code: i32): bool {
  return code == 0x20 || code == 0x09 || code == 0x0a || code == 0x0d || code == 0xa0;
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.substring(start, end);
}

function words(text: string, commas: bool): string[] {
  const found: string[] = [];
  let start = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBlank(code) || (commas && code == 0x2c)) {
      if (start >= 0) found.push(text.substring(start, at));
      start = -1;
    } else if (start < 0) {
      start = at;
    }
  }
  if (start >= 0) found.push(text.substring(start));
  return found;
}

function join(list: string[]): string | null {
  return list.length == 0 ? null : list.join(" ");
}

export class Name {
  first: string | null = null;
  last: string | null = null;
}

export function name(typed: string | null): Name {
  const found = new Name();
  if (typed === null) return found;
  const comma = typed.indexOf(",");
  if (comma >= 0) {
    found.last = join(words(typed.substring(0, comma), false));
    found.first = join(words(typed.substring(comma + 1), true));
    return found;
  }
  const list = words(typed, false);
  if (list.length > 1) found.last = list.pop();
  found.first = join(list);
  return found;
}

export function email(typed: string | null): string | null {
  if (typed === null) return null;
  const text = trim(typed);
  const sign = text.indexOf("@");
  if (sign <= 0 || sign == text.length - 1 || text.lastIndexOf("@") != sign) return null;
  let lower = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBlank(code)) return null;
    lower += String.fromCharCode(code >= 0x41 && code <= 0x5a ? code + 32 : code);
  }
  return lower;
}

export function phone(typed: string | null): string | null {
  if (typed === null) return null;
  const text = trim(typed);
  let digits = "";
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits += text.charAt(at);
  }
  let plus = text.startsWith("+");
  if (!plus && digits.startsWith("00")) {
    digits = digits.substring(2);
    plus = true;
  }
  if (digits.length < 5 || digits.length > 15) return null;
  return plus ? "+" + digits : digits;
}

export function cents(typed: string | null): Cell {
  if (typed === null) return Cell.none();
  let text = trim(typed);
  const negative = text.startsWith("-");
  if (negative) text = text.substring(1);
  let value: i64 = 0;
  let digits = 0;
  let decimals = 0;
  let point = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code == 0x2e) {
      if (point || digits == 0) return Cell.none();
      point = true;
    } else if (code >= 0x30 && code <= 0x39) {
      const digit = <i64>(code - 0x30);
      if (value > (i64.MAX_VALUE - digit) / 10) return Cell.none();
      value = value * 10 + digit;
      digits++;
      if (point) decimals++;
    } else if (code != 0x2c || point) {
      return Cell.none();
    }
  }
  if (digits == 0 || decimals > 2 || (point && decimals == 0)) return Cell.none();
  for (; decimals < 2; decimals++) {
    if (value > i64.MAX_VALUE / 10) return Cell.none();
    value *= 10;
  }
  return Cell.integer(negative ? -value : value);
}
