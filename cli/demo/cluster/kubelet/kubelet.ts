import type { KubeObject } from '../../../../src/kube/types.ts'
import type { Control } from '../controllers/control.ts'
import { recordEvent } from '../controllers/events.ts'
import { sameJson } from '../json.ts'
import type { StoreEvent } from '../store/store.ts'
import type { Pod, PodStatus } from './pod.ts'
import { PodWorker, type PodWorkerContext } from './pod-worker.ts'

type Needed = Omit<PodWorkerContext, 'writeStatus' | 'recordEvent' | 'store'>

/** Runs the pods of the one node: schedules them, starts and ends their processes, reports their status. */
export class Kubelet {
  readonly #control: Control
  readonly #context: PodWorkerContext
  readonly #workers = new Map<string, PodWorker>()
  readonly #nodeName: string
  readonly #stop: () => void
  readonly #onError: (what: string, error: unknown) => void
  #closed = false

  constructor(nodeName: string, control: Control, context: Needed, onError: (what: string, error: unknown) => void) {
    this.#onError = onError
    this.#nodeName = nodeName
    this.#control = control
    this.#context = {
      ...context,
      store: control.store,
      writeStatus: (pod, status) => this.#writeStatus(pod, status),
      recordEvent: (pod, type, reason, message) => {
        if (!this.#closed) recordEvent(control, pod, type, reason, message)
      },
    }
    this.#stop = control.store.onEvent((event) => this.#onEvent(event))
  }

  worker(pod: KubeObject): PodWorker | undefined {
    return this.#workers.get(pod.metadata.uid ?? '')
  }

  logOf(
    pod: KubeObject,
    container: string | undefined,
    previous: boolean,
  ): { file: string; running: () => boolean } | undefined {
    return this.worker(pod)?.logOf(container, previous)
  }

  /** Starts nothing any more and reports nothing; the supervisor ends the processes. */
  close(): void {
    this.#closed = true
    this.#stop()
    for (const worker of this.#workers.values()) worker.abandon()
  }

  #onEvent({ resource, object, type }: StoreEvent): void {
    if (resource === 'pods') this.#later(object, () => this.#sync(object as Pod, type === 'DELETED'))
    if (resource === 'configmaps' || resource === 'secrets') {
      this.#later(object, () => {
        for (const worker of this.#workers.values()) {
          if (worker.pod.metadata.namespace === object.metadata.namespace) worker.refresh()
        }
      })
    }
  }

  #later(object: KubeObject, work: () => void): void {
    queueMicrotask(() => {
      try {
        work()
      } catch (error) {
        this.#onError(`kubelet ${object.metadata.namespace}/${object.metadata.name}`, error)
      }
    })
  }

  #sync(pod: Pod, deleted: boolean): void {
    if (this.#closed) return
    const uid = pod.metadata.uid ?? ''
    const worker = this.#workers.get(uid)
    if (deleted) {
      worker?.kill()
      worker?.stop(0).finally(() => this.#workers.delete(uid))
      return
    }
    if (pod.metadata.deletionTimestamp) {
      this.#terminate(pod, worker)
      return
    }
    if (!pod.spec.nodeName) {
      this.#control.edit<Pod>('pods', pod, (draft) => {
        draft.spec.nodeName = this.#nodeName
      })
      return
    }
    if (worker || pod.spec.nodeName !== this.#nodeName) return
    const started = new PodWorker(pod, this.#context)
    this.#workers.set(uid, started)
    started.start().catch((error: unknown) => {
      this.#writeStatus(pod, { phase: 'Failed', reason: 'EmbeddedError', message: String(error) })
    })
  }

  #terminate(pod: Pod, worker: PodWorker | undefined): void {
    const grace = Number((pod.metadata as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds ?? 0)
    const stopped = worker ? worker.stop(grace) : Promise.resolve()
    stopped.then(() => {
      this.#workers.delete(pod.metadata.uid ?? '')
      if (!this.#closed) this.#control.removePod(pod)
    })
  }

  #writeStatus(pod: Pod, status: PodStatus): void {
    if (this.#closed) return
    const current = this.#control.store.get<Pod>('pods', pod.metadata.namespace, pod.metadata.name)
    if (current?.metadata.uid !== pod.metadata.uid || sameJson(current?.status, status)) return
    if (current)
      this.#control.editStatus<Pod>('pods', current, (draft) => {
        draft.status = status
      })
  }
}
