/** RFC 3339 with whole seconds, as Kubernetes writes metav1.Time. */
export function timestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** metav1.MicroTime. */
export function microTimestamp(date: Date = new Date()): string {
  return `${date.toISOString().slice(0, 23)}000Z`
}
