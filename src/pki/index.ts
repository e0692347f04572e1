/**
 * The proxy's own certificates. Only node-forge's writing of X.509 is used: keys are node:crypto's, and whoever verifies
 * uses Node's TLS. Nothing else belongs here.
 */
export { type CertificateAuthority, createCa } from './ca.ts'
export { issueServingCertificate, type ServingCertificate, type ServingNames } from './serving.ts'
