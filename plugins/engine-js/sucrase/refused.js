// What would come to mean something else without its types, and is refused. Each gives the token at fault, and what to do.
import { ContextualKeyword } from "sucrase/dist/esm/parser/tokenizer/keywords";
import { TokenType as tt } from "sucrase/dist/esm/parser/tokenizer/types";

const { _global, _module, _namespace } = ContextualKeyword;

const opens = (token) => token?.type === tt.braceL || token?.type === tt.dollarBraceL;

// The index of the last token of what is declared by `declare namespace A.B { … }`, `declare module "a" { … }` or `declare global { … }`.
function declared(tokens, declare) {
  let at = declare + 1;
  if (tokens[at].contextualKeyword !== _global) at += 1;
  while (tokens[at + 1]?.type === tt.dot) at += 2;
  if (!opens(tokens[at + 1])) return at;
  let depth = 0;
  do {
    at += 1;
    if (opens(tokens[at])) depth += 1;
    if (tokens[at].type === tt.braceR) depth -= 1;
  } while (depth > 0);
  return at;
}

// sucrase takes a whole namespace for a type, and its code goes with it: the first of those that are not only declared.
function namespace(tokens) {
  for (let at = 0; at < tokens.length; at += 1) {
    const [token, name, next] = tokens.slice(at, at + 3);
    if (token.type === tt._declare && [_global, _module, _namespace].includes(name?.contextualKeyword)) {
      at = declared(tokens, at);
    } else if (
      token.isType && [_module, _namespace].includes(token.contextualKeyword) && name?.isType
      && (name.type === tt.name || name.type === tt.string) && (next?.type === tt.braceL || next?.type === tt.dot)
    ) {
      return token;
    }
  }
  return undefined;
}

// The index of the first token from an index on that stays.
function staying(tokens, from) {
  let at = from;
  while (tokens[at]?.isType) at += 1;
  return at;
}

// `return <T>` before a line end: without the type, nothing is returned.
function parted(tokens, code) {
  return tokens.find((token, at) => {
    if (token.isType || ![tt._return, tt._throw, tt._yield].includes(token.type)) return false;
    const [type, value] = [tokens[at + 1], tokens[staying(tokens, at + 1)]];
    const breaks = (from, to) => code.slice(from.end, to.start).includes("\n");
    return type?.isType && type.type === tt.lessThan && value !== undefined && !breaks(token, type) && breaks(token, value);
  });
}

// `() => <T>{ … }`: without the type, the object is a block.
function block(tokens) {
  return tokens.find((token, at) => {
    if (token.isType || token.type !== tt.arrow || !tokens[at + 1]?.isType) return false;
    return tokens[staying(tokens, at + 1)]?.type === tt.braceL;
  });
}

// `class A { b = this.a; constructor(private a: T) {} }`: fields are set before what the constructor is given.
function early(tokens, code) {
  const text = (token) => code.slice(token.start, token.end);
  const modifiers = [tt._public, tt._private, tt._protected, tt._readonly, tt._override];
  for (const [at, token] of tokens.entries()) {
    if (token.type !== tt._class) continue;
    let open = at;
    while (open < tokens.length && !(tokens[open].type === tt.braceL && tokens[open].contextId === token.contextId)) open += 1;
    const [given, used] = [new Set(), []];
    let [braces, parens, inConstructor, inArrow] = [0, 0, false, false];
    for (let i = open; i < tokens.length; i += 1) {
      const { type, isType } = tokens[i];
      if (isType) continue;
      if (opens(tokens[i])) braces += 1;
      if (type === tt.braceR) braces -= 1;
      if (braces === 0) break;
      if (braces > 1) continue;
      if (type === tt.parenL) parens += 1;
      if (type === tt.parenR) parens -= 1;
      if (parens === 0) inConstructor = false;
      if (type === tt.name && text(tokens[i]) === "constructor") inConstructor = tokens[i + 1]?.type === tt.parenL;
      if (inConstructor && modifiers.includes(type) && tokens[i + 1]?.type === tt.name) given.add(text(tokens[i + 1]));
      if (type === tt.arrow) inArrow = true;
      if (type === tt.semi || type === tt.eq) inArrow = false;
      if (type === tt._this && tokens[i + 1]?.type === tt.dot && !inArrow && !inConstructor) used.push(i);
    }
    const found = used.find((i) => given.has(text(tokens[i + 2])));
    if (found !== undefined) return tokens[found];
  }
  return undefined;
}

const RULES = [
  [namespace, "a namespace is not run: write what is in it into a file of its own, or `declare` it where it has types only"],
  [parted, "the value has to begin on the same line: write the type behind it, `value as T`"],
  [block, "an object that an arrow function returns needs parentheses: write `() => ({ … }) as T`"],
  [early, "it is not set yet where the fields of the class are: set the field in the constructor"],
];

// The first that is found: its token, and what to do.
export function refused(tokens, code) {
  for (const [find, advice] of RULES) {
    const token = find(tokens, code);
    if (token !== undefined) return [token, advice];
  }
  return undefined;
}
