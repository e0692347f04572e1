/** Something that a person should hear of. */
export interface FilesTold {
  readonly code: /** They follow the cluster, which has changed. */
    | 'files-changed'
    /** They stay as they are, though the cluster has less. */
    | 'files-kept'
    | 'files-not-written'
    /** They were read once and do not follow the cluster. */
    | 'files-not-followed'
    /** Nor could the running pod be asked for what the user may not read. */
    | 'files-not-asked'
    /** Some of a volume could not be copied. */
    | 'files-incomplete'
    | 'token-not-renewed'
    | 'token-renewed'
  readonly message: string
  readonly fix?: string | undefined
}
