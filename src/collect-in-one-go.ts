import { setFlagsFromString } from 'node:v8'

/**
 * Has V8 mark its heap only when it collects it. Otherwise it begins to mark beforehand, on other threads too, whenever
 * some 8 MiB of buffers have come up since it last did, dead ones included: a transfer at full speed, whose buffers live
 * for milliseconds, made it do so ten times a second, for a third of all its processor time. Ours is a heap of some 15
 * MB, collected whole in about 10 ms, a few times a second at most.
 */
export function collectInOneGo(): void {
  setFlagsFromString('--no-incremental-marking')
}
