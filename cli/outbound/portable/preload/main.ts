/**
 * Runs first in every Node process that `intercept run` starts where there is no twin (`--require`; Node 18 and later),
 * worker threads and child processes included: sends TCP connections and lookups of names into the cluster, but for
 * what is of this machine (OwnHosts). Does nothing without its variables (wire.ts). Bundled by itself, with no imports
 * but Node's.
 */
import { syncBuiltinESMExports } from 'node:module'
import { ClusterLookup } from './cluster-lookup.ts'
import { lookUpInCluster } from './names.ts'
import { isLoopback, OwnHosts } from './own-hosts.ts'
import { searchListOf } from './search-list.ts'
import { connectThroughCluster } from './sockets.ts'
import { PreloadVariable } from './wire.ts'

const {
  [PreloadVariable.Dial]: dial,
  [PreloadVariable.Dns]: server,
  [PreloadVariable.Search]: search = '',
} = process.env

if (dial) {
  const own = new OwnHosts()
  /** Services of the embedded cluster have loopback addresses; 127.0.0.1 itself is the program's in every pod. */
  const clusterLoopback = new Set<string>()
  connectThroughCluster({
    server: dial,
    isOfCluster: (address) => clusterLoopback.has(address) || !own.hasAddress(address),
  })
  if (server) {
    lookUpInCluster({
      lookup: new ClusterLookup(server, searchListOf(search)),
      server,
      own,
      onFound: (address) => {
        if (isLoopback(address) && address !== '127.0.0.1' && address !== '::1') clusterLoopback.add(address)
      },
    })
    syncBuiltinESMExports()
  }
}
