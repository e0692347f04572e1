/** A kubeconfig for one user with a bearer token. JSON, which is YAML too. */
export function kubeconfig(server: string, ca: string, user: string, token: string, namespace = 'default'): string {
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'embedded', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
      ],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: 'embedded', context: { cluster: 'embedded', user, namespace } }],
      'current-context': 'embedded',
    },
    null,
    2,
  )}\n`
}
