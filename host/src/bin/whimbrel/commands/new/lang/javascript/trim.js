/** Returns the text without spaces around it. */
export function trim(text) {
  return text.trim();
}
