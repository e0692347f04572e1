import { NotReadyError } from './not-ready-error.ts'
import type { Container } from './pod.ts'

/**
 * The command of a container. There are no images: `node` is the Node that runs us, other commands are those of this
 * machine. Images other than node and pause need a command. Throws NotReadyError.
 */
export function commandOf(container: Container): { command: string; args: string[] } {
  const [entry, ...rest] = [...(container.command ?? entrypoint(container)), ...(container.args ?? [])]
  const command = entry ?? ''
  return { command: /^(?:.*\/)?node$/.test(command) ? process.execPath : command, args: rest }
}

function entrypoint({ image, args = [] }: Container): string[] {
  const name = image
    .replace(/@.*$/, '')
    .replace(/:[^/:]*$/, '')
    .split('/')
    .at(-1)
  if (name === 'pause') return ['node', '-e', 'setInterval(() => undefined, 2 ** 30)']
  if (name === 'node')
    return args[0] !== undefined && !args[0].startsWith('-') && !/\.[cm]?js$/.test(args[0]) ? [] : ['node']
  throw new NotReadyError(
    'ErrImagePull',
    `the embedded cluster has no images: give the container of image "${image}" a command that this machine has`,
  )
}
