/** Returns the text without spaces around it. */
export function trim(text: string): string {
  return text.trim();
}
