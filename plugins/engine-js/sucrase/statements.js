// Keeps statements apart that a type stood between. Where lines end without a `;`, what is left of
// `x as Handler` and `(next)()` would be one call, and TypeScript has two statements there.
import TokenProcessor from "sucrase/dist/esm/TokenProcessor";
import { ContextualKeyword } from "sucrase/dist/esm/parser/tokenizer/keywords";
import { TokenType as tt } from "sucrase/dist/esm/parser/tokenizer/types";

// What goes on with what stands before it, where it can.
const CONTINUES = new Set([tt.parenL, tt.bracketL, tt.backQuote, tt.regexp]);
// What members of a class begin with.
const MODIFIERS = new Set([
  tt._public, tt._private, tt._protected, tt._readonly, tt._abstract, tt._override, tt._declare,
]);
// What is taken out and ends nothing.
const INSIDE = new Set([...MODIFIERS, tt.nonNullAssertion, tt.question, tt.comma]);

const { copyToken, replaceToken, replaceTokenTrimmingLeftWhitespace, restoreToSnapshot } = TokenProcessor.prototype;

// The index of the `<` that belongs to the `>` at an index.
function opening(tokens, end) {
  let depth = 0;
  for (let at = end; at >= 0; at -= 1) {
    if (tokens[at].type === tt.greaterThan) depth += 1;
    if (tokens[at].type === tt.lessThan) depth -= 1;
    if (depth === 0) return at;
  }
  return 0;
}

// The index of the last token before an index that is not gone.
function kept(processor, at) {
  let last = at - 1;
  while (last >= 0 && processor.gone.has(last)) last -= 1;
  return last;
}

// Whether a statement, or a member of a class, begins with the token at an index, and what stood before it is gone.
function begins(processor, at) {
  const { tokens, code } = processor;
  const [before, token] = [tokens[at - 1], tokens[at]];
  if (MODIFIERS.has(before?.type) && processor.gone.has(at - 1) && (token.type === tt.bracketL || token.type === tt.star)) {
    return tokens[kept(processor, at)]?.type !== tt._static;
  }
  if (!CONTINUES.has(token.type) || token.subscriptStartIndex !== null) return false;
  if (!processor.gone.has(at - 1) || INSIDE.has(before.type)) return false;
  // Of a function, a call, or before what it is said of: `f<T>(a)`, `<T>(a) => a`, `<T>[]`.
  if (before.type === tt.greaterThan && !processor.gone.has(opening(tokens, at - 1) - 1)) return false;
  return before.type === tt.semi || before.type === tt.braceR || code.slice(before.end, token.start).includes("\n");
}

// `get: number` before `size() {}` would be a getter.
const WORDS = new Set([ContextualKeyword._get, ContextualKeyword._set, ContextualKeyword._static]);
const ENDS = new Set([tt.parenL, tt.eq, tt.semi, tt.braceR, tt.comma, tt.colon]);

function separates(processor, at) {
  const { tokens } = processor;
  if (ENDS.has(tokens[at].type) || INSIDE.has(tokens[at - 1]?.type)) return false;
  const last = kept(processor, at);
  if (last < 0 || last === at - 1 || tokens[last + 1].type === tt.lessThan) return false;
  return WORDS.has(tokens[last].contextualKeyword) || tokens[last].type === tt._static;
}

function mark(processor, replaced) {
  const gone = (processor.gone ??= new Set());
  if (replaced === "") gone.add(processor.tokenIndex);
}

Object.assign(TokenProcessor.prototype, {
  copyToken() {
    mark(this);
    if (begins(this, this.tokenIndex) || separates(this, this.tokenIndex)) this.appendCode(";");
    copyToken.call(this);
  },
  replaceToken(text) {
    mark(this, text);
    replaceToken.call(this, text);
  },
  replaceTokenTrimmingLeftWhitespace(text) {
    mark(this, text);
    replaceTokenTrimmingLeftWhitespace.call(this, text);
  },
  restoreToSnapshot(snapshot) {
    restoreToSnapshot.call(this, snapshot);
    for (const index of this.gone ?? []) if (index >= this.tokenIndex) this.gone.delete(index);
  },
});
