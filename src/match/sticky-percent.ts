/**
 * Whether a key is among `percent` of all keys: always the same answer for the same salt, on every replica; answers
 * of different salts are independent. Not for secrets: who knows the salt can choose a key.
 */
export function stickyPercent(percent: number, salt: string): (key: string) => boolean {
  const salted = fnv(0x811c9dc5, `${salt}\0`)
  const limit = (percent / 100) * 2 ** 32
  return (key) => finish(fnv(salted, key)) < limit
}

/** FNV-1a over UTF-16 units. */
function fnv(hash: number, text: string): number {
  let value = hash
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value
}

/** MurmurHash3's last step: addresses that differ in one digit end far apart. */
function finish(hash: number): number {
  let value = hash
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
