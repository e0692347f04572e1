import type { Command } from '../command.ts'

/** Every command, loaded when it is run. The help of the others must not cost the start of one. */
export const commands: readonly { readonly usage: string; readonly help: string; load(): Promise<Command> }[] = [
  {
    usage: 'preview [target]',
    help: 'A page on localhost that shows the cluster as one person gets it',
    load: async () => (await import('./preview.ts')).preview,
  },
  {
    usage: 'run <target>',
    help: "Run a command on this machine with a pod's environment, files, names and network",
    load: async () => (await import('./run.ts')).run,
  },
  {
    usage: 'forward <target> [ports..]',
    help: 'Ports of this machine that lead to a Service, whatever becomes of its pods',
    load: async () => (await import('./forward.ts')).forward,
  },
  {
    usage: 'env <target>',
    help: "Print the environment of a Service's pods",
    load: async () => (await import('./env.ts')).env,
  },
  {
    usage: 'connect',
    help: 'A way into the cluster for a command, a shell, or by proxy for all of this machine',
    load: async () => (await import('./connect.ts')).connect,
  },
  {
    usage: 'create',
    help: 'Create Intercepts from a file, with no laptop',
    load: async () => (await import('./create.ts')).create,
  },
  {
    usage: 'list',
    help: 'Who intercepts what',
    load: async () => (await import('./list.ts')).list,
  },
  {
    usage: 'status [name]',
    help: 'One Intercept or Service in detail',
    load: async () => (await import('./status.ts')).status,
  },
  {
    usage: 'leave [name]',
    help: 'Give a Service back to the cluster',
    load: async () => (await import('./leave.ts')).leave,
  },
  {
    usage: 'revoke <name>',
    help: "End another person's Intercept",
    load: async () => (await import('./revoke.ts')).revoke,
  },
  {
    usage: 'restore [service]',
    help: 'Repair Services with nothing of intercept alive in the cluster',
    load: async () => (await import('./restore.ts')).restoreCommand,
  },
  {
    usage: 'install',
    help: 'Install or upgrade the proxy pods in the cluster',
    load: async () => (await import('./install.ts')).install,
  },
  {
    usage: 'uninstall',
    help: 'Release every Service and remove everything of intercept from the cluster',
    load: async () => (await import('./uninstall.ts')).uninstall,
  },
  {
    usage: 'demo',
    help: 'See it work without a cluster: an embedded one, a sample shop, an intercept',
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    usage: 'version',
    help: 'Versions of this command and of the proxy pods',
    load: async () => (await import('./version.ts')).version,
  },
]
