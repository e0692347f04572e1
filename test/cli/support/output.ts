import { Writable } from 'node:stream'

/** Where a test's output goes; a terminal if it is told so. */
export class Output extends Writable {
  readonly isTTY: boolean
  columns: number | undefined
  text = ''

  constructor(terminal?: { columns: number }) {
    super({ decodeStrings: false })
    this.isTTY = terminal !== undefined
    this.columns = terminal?.columns
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk
    done()
  }

  /** One JSON value a line. */
  get json(): unknown[] {
    return this.text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
}

/** Without colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they are
export const plain = (text: string): string => text.replaceAll(/\x1b\[[0-9;]*m/g, '')
