const colour = '\u001b['
/** Characters that take two columns: emoji, and the wide blocks of East Asian scripts (Unicode, annex 11). */
const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6]/u
const segmenter = new Intl.Segmenter()

/** The beginning of one line of printable text that takes at most `columns` of a terminal. Colours take none. */
export function fitLine(text: string, columns: number): string {
  let left = columns
  let fitting = ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  for (const part of text.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith(colour)) {
      fitting += part
      continue
    }
    for (const { segment } of segmenter.segment(part)) {
      left -= wide.test(segment) ? 2 : 1
      if (left < 0) return fitting.includes(colour) ? `${fitting}${colour}0m` : fitting
      fitting += segment
    }
  }
  return fitting
}
