/** What a request needs besides its path. Given out anew before each connection, so that rotation is seen. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | string[]>>
  /** PEM. */
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

/** One cluster as one user: where it is, how its certificate is checked, and who we are there. */
export interface ClusterAccess {
  /** Without a slash at its end; may have a path. */
  readonly server: string
  readonly context: string
  readonly namespace: string
  /** PEM; the system's authorities where undefined. */
  readonly ca?: string | Buffer
  readonly insecure?: boolean
  /** Checked in the server's certificate instead of its host name. */
  readonly tlsServerName?: string
  /** `proxy-url` of the kubeconfig; goes before HTTPS_PROXY, and NO_PROXY does not apply to it. */
  readonly proxyUrl?: string
  /**
   * `renew`: the last ones were refused; forget every cache.
   * @throws KubeError 'credentials-expired' where none can be had
   */
  credentials(renew: boolean): Promise<Credentials>
}
