/**
 * Text without control characters, but for line ends and colours: what others wrote (the host of a laptop, the target of
 * a request) must not steer the terminal.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it takes away
  return text.replaceAll(/(\x1b\[[0-9;]*m|\n)|[\x00-\x1f\x7f-\x9f]/g, '$1')
}
