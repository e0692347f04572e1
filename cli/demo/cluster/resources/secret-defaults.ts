import { type Dict, dictOf } from '../json.ts'

/** stringData is written into data; the type of a Secret is Opaque. */
export function secretDefaults(secret: Dict): void {
  secret.type ??= 'Opaque'
  if (secret.stringData === undefined) return
  const data: Dict = { ...dictOf(secret.data) }
  for (const [key, text] of Object.entries(dictOf(secret.stringData)))
    data[key] = Buffer.from(String(text)).toString('base64')
  secret.data = data
  delete secret.stringData
}
