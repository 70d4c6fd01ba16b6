// Takes the types out of TypeScript; lines stay where they are. What is wrong comes back as [message, line, column].
import { transform } from "sucrase";
import { locationForIndex, state } from "sucrase/dist/esm/parser/traverser/base";
import "./enums.js";
import { refused } from "./refused.js";
import "./statements.js";

export function strip(text) {
  try {
    const { code } = transform(text, { transforms: ["typescript"], disableESTransforms: true });
    const found = refused(state.tokens, text);
    if (found === undefined) return code;
    const [token, advice] = found;
    const { line, column } = locationForIndex(token.start);
    return [advice, line, column];
  } catch (error) {
    const { line = 0, column = 0 } = error.loc ?? {};
    return [String(error.message).replace(/ \(\d+:\d+\)$/, ""), line, column];
  }
}
