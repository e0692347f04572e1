/** The same is said again only after so long, in milliseconds: a program that tries again fills the screen otherwise. */
const againMs = 60_000
/** What is remembered at most; the oldest is forgotten first. */
const most = 256

/** What was told to a person lately. */
export class ToldLately {
  readonly #now: () => number
  readonly #told = new Map<string, number>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** True where it was not told lately, and counts as told from now on. */
  isNews(line: string): boolean {
    const now = this.#now()
    const at = this.#told.get(line)
    if (at !== undefined && now - at < againMs) return false
    this.#told.delete(line)
    this.#told.set(line, now)
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= most) break
      this.#told.delete(oldest)
    }
    return true
  }
}
