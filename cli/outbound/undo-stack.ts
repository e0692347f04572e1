/** What was done, to be taken back in the opposite order. */
export class UndoStack {
  readonly #steps: (() => Promise<void>)[] = []

  push(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  /**
   * Takes every step, also after one that failed, and each only once.
   * @throws what a step threw, or an AggregateError where several did
   */
  async unwind(): Promise<void> {
    const errors: unknown[] = []
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 1) throw new AggregateError(errors)
    if (errors.length === 1) throw errors[0]
  }
}
