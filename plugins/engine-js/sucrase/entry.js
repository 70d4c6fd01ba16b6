// Takes the types out of TypeScript; lines stay where they are. What is wrong comes back as [message, line, column].
import { transform } from "sucrase";
import { ContextualKeyword } from "sucrase/dist/esm/parser/tokenizer/keywords";
import { TokenType as tt } from "sucrase/dist/esm/parser/tokenizer/types";
import { locationForIndex, state } from "sucrase/dist/esm/parser/traverser/base";

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

export function strip(text) {
  try {
    const { code } = transform(text, { transforms: ["typescript"], disableESTransforms: true });
    const lost = namespace(state.tokens);
    if (lost === undefined) return code;
    const { line, column } = locationForIndex(lost.start);
    return ["a namespace is not run: write what is in it into a file of its own, or `declare` it where it has types only", line, column];
  } catch (error) {
    const { line = 0, column = 0 } = error.loc ?? {};
    return [String(error.message).replace(/ \(\d+:\d+\)$/, ""), line, column];
  }
}
