/**
 * Runs first in every Node process of a pod (`--require`), as plain JavaScript. It gives the process what a network
 * namespace would: servers that name no address listen on the pod's own; names of Services resolve; an address and port
 * that could not be bound as they are (below 1024 without root, macOS) lead to where they really listen.
 * Environment: EMBEDDED_NETWORK is the file that the cluster keeps up to date ({hosts, ports}), EMBEDDED_POD_IP the pod's
 * address, EMBEDDED_PORTS its mapped ports (`8080=40123,...`), EMBEDDED_SEARCH the DNS search domains, EMBEDDED_MOUNTS
 * JSON of [mounted path, folder] pairs, longest first.
 */
export const podPreload = String.raw`
const fs = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const { fileURLToPath } = require('node:url')
const dns = require('node:dns')
const net = require('node:net')
const dgram = require('node:dgram')
const { EMBEDDED_NETWORK: file, EMBEDDED_POD_IP: self, EMBEDDED_PORTS: mapping = '', EMBEDDED_SEARCH: search = '' } = process.env
const mapped = new Map(mapping.split(',').filter(Boolean).map((pair) => pair.split('=').map(Number)))
const unspecified = new Set([undefined, null, '', '0.0.0.0', '::', '[::]'])
const { readFileSync, statSync } = fs
let cached = { hosts: {}, ports: {} }
let stamp = ''
const network = () => {
  const { mtimeMs, ino } = statSync(file, { throwIfNoEntry: false }) ?? {}
  const now = mtimeMs + ':' + ino
  if (mtimeMs !== undefined && now !== stamp) {
    cached = JSON.parse(readFileSync(file, 'utf8'))
    stamp = now
  }
  return cached
}
const resolve = (name) => {
  const { hosts } = network()
  const plain = name.replace(/\.$/, '').toLowerCase()
  for (const suffix of ['', ...search.split(',')]) {
    const found = hosts[suffix === '' ? plain : plain + '.' + suffix]
    if (found && found.length > 0) return found
  }
  return undefined
}

const { listen } = net.Server.prototype
net.Server.prototype.listen = function (...args) {
  const [first] = args
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    const host = typeof args[1] === 'string' ? args[1] : undefined
    const rest = args.slice(host !== undefined || (args.length > 1 && args[1] == null) ? 2 : 1)
    const port = mapped.get(Number(first)) ?? Number(first)
    return listen.call(this, port, unspecified.has(host) ? self : host, ...rest)
  }
  if (typeof first === 'object' && first !== null && first.port !== undefined && first.fd === undefined) {
    const port = mapped.get(Number(first.port)) ?? first.port
    const host = unspecified.has(first.host) ? self : first.host
    return listen.call(this, { ...first, port, host }, ...args.slice(1))
  }
  return listen.apply(this, args)
}

const { bind } = dgram.Socket.prototype
dgram.Socket.prototype.bind = function (...args) {
  const [first] = args
  if (typeof first === 'number' && first !== 0) {
    const address = typeof args[1] === 'string' ? args[1] : undefined
    const rest = address === undefined ? args.slice(1) : args.slice(2)
    return bind.call(this, mapped.get(first) ?? first, unspecified.has(address) ? self : address, ...rest)
  }
  if (typeof first === 'object' && first !== null && first.port) {
    const port = mapped.get(first.port) ?? first.port
    return bind.call(this, { ...first, port, address: unspecified.has(first.address) ? self : first.address }, ...args.slice(1))
  }
  return bind.apply(this, args)
}

const redirect = (options) => {
  if (options === null || typeof options !== 'object' || options.port === undefined || options.path) return options
  const host = options.host ?? 'localhost'
  const ip = net.isIP(host) ? host : resolve(host)?.[0]
  if (ip === undefined) return options
  const [otherHost, otherPort] = network().ports[ip + ':' + options.port]?.split(':') ?? []
  if (otherHost !== undefined) return { ...options, host: otherHost, port: Number(otherPort) }
  return ip === host ? options : { ...options, host: ip }
}
const { connect } = net.Socket.prototype
net.Socket.prototype.connect = function (...args) {
  if (Array.isArray(args[0])) args[0][0] = redirect(args[0][0])
  else if (typeof args[0] === 'object') args[0] = redirect(args[0])
  return connect.apply(this, args)
}

const { lookup } = dns
const answer = (name, options) => {
  const found = typeof name === 'string' && !net.isIP(name) ? resolve(name) : undefined
  if (!found || options.family === 6) return undefined
  return found.map((address) => ({ address, family: 4 }))
}
dns.lookup = function (name, options, callback = options) {
  const settings = typeof options === 'object' && options !== null ? options : { family: typeof options === 'number' ? options : 0 }
  const found = answer(name, settings)
  if (!found) return lookup.call(this, name, options, callback)
  process.nextTick(() => (settings.all ? callback(null, found) : callback(null, found[0].address, 4)))
}
const lookupAsync = dns.promises.lookup
dns.promises.lookup = async function (name, options = {}) {
  const settings = typeof options === 'number' ? { family: options } : options
  const found = answer(name, settings)
  if (!found) return lookupAsync.call(this, name, options)
  return settings.all ? found : found[0]
}
const resolveAsync = dns.promises.resolve4
dns.promises.resolve4 = async function (name, ...rest) {
  return resolve(name) ?? resolveAsync.call(this, name, ...rest)
}

const clusterFolder = file.slice(0, file.lastIndexOf('/') + 1)
const mounts = JSON.parse(process.env.EMBEDDED_MOUNTS || '[]')
const placed = (path) => {
  const plain = path instanceof URL && path.protocol === 'file:' ? fileURLToPath(path) : path
  if (typeof plain !== 'string' || plain[0] !== '/' || plain.startsWith(clusterFolder)) return path
  for (const [inside, folder] of mounts) {
    if (plain === inside || plain.startsWith(inside + '/')) return folder + plain.slice(inside.length)
  }
  return path
}
const onePath =
  'access appendFile chmod createReadStream createWriteStream exists lstat mkdir mkdtemp open opendir readFile readdir readlink realpath rm rmdir stat truncate unlink utimes watch watchFile unwatchFile writeFile'
const twoPaths = 'copyFile cp link rename symlink'
const wrap = (holder, name, paths) => {
  const original = holder[name]
  if (typeof original !== 'function') return
  holder[name] = function (...args) {
    for (let index = 0; index < paths; index += 1) args[index] = placed(args[index])
    return original.apply(this, args)
  }
  Object.assign(holder[name], original)
}
if (mounts.length > 0) {
  for (const [names, paths] of [[onePath, 1], [twoPaths, 2]]) {
    for (const name of names.split(' ')) {
      wrap(fs, name, paths)
      wrap(fs, name + 'Sync', paths)
      wrap(fs.promises, name, paths)
    }
  }
}
syncBuiltinESMExports()
`
