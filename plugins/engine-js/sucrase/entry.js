// Takes the types out of TypeScript; lines stay where they are. What is wrong comes back as [message, line, column].
import { transform } from "sucrase";

export function strip(text) {
  try {
    return transform(text, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (error) {
    const { line = 0, column = 0 } = error.loc ?? {};
    return [String(error.message).replace(/ \(\d+:\d+\)$/, ""), line, column];
  }
}
