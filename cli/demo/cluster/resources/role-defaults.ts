import { type Dict, dictOf, isDict, listOf } from '../json.ts'

const group = 'rbac.authorization.k8s.io'

/** The API group of subjects and of the role, where it is left out. */
export function bindingDefaults(binding: Dict): void {
  for (const subject of listOf(binding.subjects) as Dict[]) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ??= group
  }
  if (isDict(binding.roleRef)) dictOf(binding.roleRef).apiGroup ??= group
}
