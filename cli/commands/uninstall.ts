import type { Command } from '../command.ts'
import { uninstall as takeAway } from '../install/uninstall.ts'
import { paint } from '../ui/colors.ts'
import { tellProgress } from './install-progress.ts'

export const uninstall: Command = {
  usage: 'uninstall',
  help: 'Release every Service and remove everything of intercept from the cluster',
  async run({ ui, kube, global }) {
    const client = await kube()
    ui.live.set(() => `releasing every Service of ${client.context}`)
    await takeAway(client, { namespace: global.systemNamespace, progress: tellProgress(ui) })
    ui.live.clear()
    ui.event(
      { event: 'uninstalled', namespace: global.systemNamespace },
      `${paint.good('✔')} nothing of intercept is left in the cluster`,
    )
    return 0
  },
}
