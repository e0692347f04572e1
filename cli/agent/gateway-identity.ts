import { X509Certificate } from 'node:crypto'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/**
 * Whether a certificate, whose chain was verified, is that of the gateway at `host`: it names the host, as an Ingress
 * with a public certificate does, or the installation's own authority issued it and it names the gateways' Service, as
 * they do themselves behind whatever passes their bytes on.
 */
export function gatewayIdentity(host: string, service: string, authority: string | undefined) {
  return (_name: string, certificate: PeerCertificate): Error | undefined => {
    const wrong = checkServerIdentity(host, certificate)
    if (!wrong || authority === undefined || !isIssuedBy(certificate, authority)) return wrong
    return checkServerIdentity(service, certificate)
  }
}

function isIssuedBy({ raw }: PeerCertificate, authority: string): boolean {
  const [issued, issuer] = [new X509Certificate(raw), new X509Certificate(authority)]
  return issued.checkIssued(issuer) && issued.verify(issuer.publicKey)
}
