import { type Dict, dictOf, dig, listOf } from '../json.ts'

/** `12s`, `3m10s`, `5h`, `2d`: how long ago, as kubectl shows it. */
export function age(time: unknown, now: number = Date.now()): string {
  const started = Date.parse(String(time))
  if (Number.isNaN(started)) return '<unknown>'
  const seconds = Math.max(0, Math.floor((now - started) / 1_000))
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  return days < 8 && hours % 24 !== 0 ? `${days}d${hours % 24}h` : `${days}d`
}

/** The Status column of a pod. */
export function podStatus(pod: Dict): string {
  if (dig(pod, 'metadata', 'deletionTimestamp')) return 'Terminating'
  for (const status of listOf(dig(pod, 'status', 'containerStatuses'))) {
    const { waiting, terminated } = dictOf(dictOf(status).state)
    const reason = dictOf(waiting).reason ?? dictOf(terminated).reason
    if (reason) return String(reason)
  }
  return String(dig(pod, 'status', 'reason') ?? dig(pod, 'status', 'phase') ?? 'Unknown')
}
