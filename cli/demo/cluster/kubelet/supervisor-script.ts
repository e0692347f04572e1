/**
 * The process that starts all containers of a cluster, as plain JavaScript: it runs under `node` beside any bundle. It
 * ends every container when its parent goes, however that happens, and removes the cluster's folder.
 * Messages in: {start: {id, command, args, env, cwd, log}}, {signal: {id, name}}. Out: {id, pid} and {id, code, signal, error}.
 * A container is a process group: what it started ends with it.
 */
export const supervisorScript = `
const { spawn } = require('node:child_process')
const { openSync, closeSync, rmSync } = require('node:fs')
const folder = process.argv[2]
const running = new Map()
const tell = (message) => { if (process.connected) process.send(message, () => undefined) }
const kill = (pid, signal) => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error
  }
}
const start = ({ id, command, args, env, cwd, log }) => {
  const output = openSync(log, 'a')
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', output, output] })
  closeSync(output)
  let done = false
  const finish = (result) => {
    if (done) return
    done = true
    running.delete(id)
    if (child.pid) kill(-child.pid, 'SIGKILL')
    tell({ id, ...result })
  }
  child.on('error', (error) => finish({ code: 128, signal: null, error: error.message }))
  child.on('exit', (code, signal) => finish({ code, signal }))
  if (child.pid) {
    running.set(id, child.pid)
    tell({ id, pid: child.pid })
  }
}
process.on('message', (message) => {
  if (message.start) start(message.start)
  const pid = message.signal && running.get(message.signal.id)
  if (pid) kill(message.signal.name === 'SIGKILL' ? -pid : pid, message.signal.name)
})
process.on('disconnect', () => {
  for (const pid of running.values()) kill(-pid, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  process.exit(0)
})
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => undefined)
`
