/** What a person may be called with `--as`, in `spec.match.as` and before a preview's domain: a label of DNS. */
export const personPattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const maxLength = 63

export const isPersonName = (text: string): boolean => text.length <= maxLength && personPattern.test(text)
