import { InterceptError } from '../../../src/errors.ts'
import { isKubeError } from '../../../src/kube/error.ts'
import type { Kube } from '../../../src/kube/types.ts'
import { dataLink } from './atomic-directory.ts'
import { Extraction, type ExtractionOptions } from './extraction.ts'
import { MemoryFiles } from './memory-files.ts'
import { TarReader } from './tar-reader.ts'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'

/** A container that runs. */
export interface RunningContainer {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}

export interface Refusal {
  readonly refused: string
  readonly fix?: string | undefined
}

/**
 * The files of a mount as the running container has them: by `tar`, or else by `cat`, for the names that are known or
 * that `ls` tells. A mount that is one file has it at the path ''. @throws KubeError where the cluster does not answer
 */
export async function readInPod(
  kube: Kube,
  place: RunningContainer,
  mountPath: string,
  names?: readonly string[],
): Promise<VolumeFiles | Refusal> {
  const files = new MemoryFiles()
  const reader = new TarReader(files)
  // Links are followed (`h`): what is seen of a projected volume are links into a folder of the kubelet's.
  const tar = await run(kube, place, ['tar', '-chf', '-', mountPath], (chunk) => reader.push(chunk))
  if (!('refused' in tar) && reader.ended) return files.all
  if ('refused' in tar && tar.final) return tar
  const plain = await readByCat(kube, place, mountPath, names)
  return 'refused' in plain && 'refused' in tar ? { refused: `${tar.refused}; ${plain.refused}` } : plain
}

/**
 * Copies a mount of the running container by `tar`, read-only. @returns what could not be copied, or why nothing was;
 * then a part of it may lie at the target. @throws KubeError where the cluster does not answer, system errors
 */
export async function copyFromPod(
  kube: Kube,
  place: RunningContainer,
  options: ExtractionOptions,
): Promise<
  { readonly kind: 'file' | 'directory'; readonly skipped: readonly string[]; readonly said: string } | Refusal
> {
  const { mountPath } = options
  const extraction = new Extraction(options)
  const reader = new TarReader(extraction)
  const { namespace, pod, container } = place
  try {
    const tar = await run(kube, place, ['tar', '-cf', '-', mountPath], (chunk) => reader.push(chunk))
    if ('refused' in tar) {
      const fix = `kubectl -n ${namespace} cp -c ${container} ${pod}:${mountPath} DIRECTORY`
      return tar.tooLarge ? { ...tar, fix } : tar
    }
    if (!reader.ended) return { refused: `tar in container ${container} of pod ${pod}: ${tar.said || 'no archive'}` }
    return { kind: extraction.kind, skipped: extraction.skipped, said: tar.code === 0 ? '' : tar.said }
  } finally {
    extraction.end()
  }
}

/** `final`: no other command would do better. */
type Run =
  | { readonly code: number; readonly said: string }
  | (Refusal & { readonly final: boolean; readonly tooLarge?: boolean })

/** Exit codes with which a runtime says that there is no such program. */
const notThere = new Set([126, 127])

async function run(
  kube: Kube,
  { namespace, pod, container }: RunningContainer,
  command: readonly [string, ...string[]],
  onStdout: (chunk: Buffer) => void,
): Promise<Run> {
  const where = `container ${container} of pod ${pod}`
  try {
    const { code, stderr } = await kube.execCommand(namespace, pod, { container, command, onStdout })
    if (notThere.has(code)) return { refused: `${where} has no ${command[0]}`, final: false }
    return { code, said: stderr.trim().split('\n').at(-1) ?? '' }
  } catch (error) {
    if (isKubeError(error, 'forbidden', 'denied')) {
      return { refused: error.message.replace(/\.$/, ''), fix: error.fix, final: true }
    }
    if (isKubeError(error, 'not-found')) return { refused: `pod ${pod} is gone`, final: true }
    if (isKubeError(error, 'exec-failed')) {
      const missing = /not found|no such file|ENOENT/i.test(error.message)
      return { refused: missing ? `${where} has no ${command[0]}` : error.message, final: false }
    }
    const isOurs = error instanceof InterceptError && ['bad-archive', 'volume-too-large'].includes(error.code)
    const isHopeless = isKubeError(error) && !isKubeError(error, 'aborted', 'credentials-expired')
    if (!isOurs && !isHopeless) throw error
    return { refused: error.message, fix: error.fix, final: true, tooLarge: error.code === 'volume-too-large' }
  }
}

async function readByCat(
  kube: Kube,
  place: RunningContainer,
  mountPath: string,
  names: readonly string[] | undefined,
): Promise<VolumeFiles | Refusal> {
  const whole = await output(kube, place, ['cat', mountPath])
  if (Buffer.isBuffer(whole)) return new Map([['', { data: whole, mode: 0o644 }]])
  const projected = `${mountPath}/${dataLink}`
  const inData = await listedNames(kube, place, projected)
  const folder = 'refused' in inData ? mountPath : projected
  const listed = names ?? ('refused' in inData ? await listedNames(kube, place, mountPath) : inData)
  if ('refused' in listed) return listed
  const files = new Map<string, VolumeFile>()
  for (const name of listed) {
    const data = await output(kube, place, ['cat', `${folder}/${name}`])
    if (Buffer.isBuffer(data)) files.set(name, { data, mode: 0o644 })
  }
  return files.size > 0 || listed.length === 0 ? files : whole
}

async function listedNames(kube: Kube, place: RunningContainer, folder: string): Promise<readonly string[] | Refusal> {
  const said = await output(kube, place, ['ls', '-1A', folder])
  if (!Buffer.isBuffer(said)) return said
  return said
    .toString('utf8')
    .split('\n')
    .filter((name) => name !== '' && !name.startsWith('..'))
}

async function output(
  kube: Kube,
  place: RunningContainer,
  command: readonly [string, ...string[]],
): Promise<Buffer | Refusal> {
  const chunks: Buffer[] = []
  const ran = await run(kube, place, command, (chunk) => chunks.push(Buffer.from(chunk)))
  if ('refused' in ran) return ran
  return ran.code === 0 ? Buffer.concat(chunks) : { refused: `${command.join(' ')}: ${ran.said}` }
}
