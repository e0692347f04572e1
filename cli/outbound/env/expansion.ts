/**
 * What stands for the `$(NAME)` of a text, as the kubelet reads it: `$$` is one `$`, so `$$(NAME)` is `$(NAME)`; a name
 * that `lookUp` does not know stays as it is written.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
  return text.replaceAll(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (lookUp(name) ?? whole),
  )
}
