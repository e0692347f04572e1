import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { RUN_VARIABLE } from './cli.ts'

/**
 * What is left of a command, by the value of RUN_VARIABLE that it had: processes (without one a namespace is gone, and its
 * mounts and routes with it); and of every command that has ended: mounts and folders of ours.
 */
export function leftovers(id: string): string[] {
  const mounts = process.platform === 'linux' ? readFileSync('/proc/self/mountinfo', 'utf8').split('\n') : []
  return [
    ...processesOf(id).map((pid) => `process ${pid}`),
    ...mounts.filter((line) => line.includes('intercept-files-')).map((line) => `mount ${line}`),
    ...ourFiles().map((path) => `folder ${path}`),
  ]
}

function processesOf(id: string): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && environmentOf(name).includes(`${RUN_VARIABLE}=${id}`),
  )
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    // It has ended since.
    return ''
  }
}

/** Folders of commands that are no more. */
function ourFiles(): string[] {
  const places = new Set([tmpdir(), process.env.XDG_RUNTIME_DIR ?? tmpdir()])
  return [...places].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => {
        const [, pid] = /^intercept-files-(\d+)-/.exec(name) ?? []
        return pid !== undefined && !isAlive(Number(pid))
      })
      .map((name) => `${folder}/${name}`),
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
