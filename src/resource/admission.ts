import type { KubeObject, ResourceType } from '../kube/types.ts'
import { connectionType, REACH_ANYWHERE_VERB } from './connection.ts'
import { interceptType } from './intercept.ts'
import { GROUP, INTERCEPT_WHOLE_VERB, PROXY_NAME, REVOKE_VERB } from './names.ts'

const ADMISSION_POLICY = 'intercept-holder'
const CONNECTION_POLICY = 'intercept-connection-holder'

interface AdmissionObject extends KubeObject {
  spec: Record<string, unknown>
}

interface Named {
  readonly name: string
  readonly expression: string
}

interface Validation {
  /** CEL. True: allowed. */
  readonly expression: string
  readonly messageExpression: string
  /** Where the message cannot be evaluated. */
  readonly message: string
  readonly reason: 'Forbidden'
}

/** Kubernetes' own controllers that finish a deletion: of a namespace, of an owner. */
const controllers = [
  'system:serviceaccount:kube-system:namespace-controller',
  'system:serviceaccount:kube-system:generic-garbage-collector',
  // Where the controllers share one identity.
  'system:kube-controller-manager',
]

/** What the policies of both kinds know of a request. */
function variables(systemNamespace: string): Named[] {
  return [
    {
      name: 'isHolder',
      expression: 'oldObject != null && oldObject.spec.holder == request.userInfo.username',
    },
    {
      name: 'isProxy',
      expression: `request.userInfo.username == 'system:serviceaccount:${systemNamespace}:${PROXY_NAME}'`,
    },
    {
      name: 'isController',
      expression: `request.userInfo.username in [${controllers.map((name) => `'${name}'`).join(', ')}]`,
    },
  ]
}

/** Its holder is whoever the API server says made it, and nobody else changes or deletes it. */
function heldByItsMaker({ plural, kind }: ResourceType): Validation[] {
  const article = /^[AEIOU]/.test(kind) ? 'an' : 'a'
  return [
    {
      expression: "request.operation != 'CREATE' || object.spec.holder == request.userInfo.username",
      messageExpression: `"spec.holder must be your own user name, '" + request.userInfo.username + "', not '" + object.spec.holder + "'"`,
      message: 'spec.holder must be your own user name',
      reason: 'Forbidden',
    },
    {
      // Owners and finalizers too: both end in a deletion.
      expression: [
        "request.operation != 'UPDATE' || variables.isHolder || variables.isProxy || variables.isController",
        `(${['object.spec == oldObject.spec', unchanged('ownerReferences'), unchanged('finalizers')].join(' && ')})`,
      ].join(' || '),
      messageExpression: `"this ${kind} is held by '" + oldObject.spec.holder + "': only its holder may change it"`,
      message: `only the holder may change ${article} ${kind}`,
      reason: 'Forbidden',
    },
    {
      expression: [
        "request.operation != 'DELETE' || variables.isHolder || variables.isProxy || variables.isController",
        `authorizer.group('${GROUP}').resource('${plural}').namespace(request.namespace).name(oldObject.metadata.name).check('${REVOKE_VERB}').allowed()`,
      ].join(' || '),
      messageExpression: `"this ${kind} is held by '" + oldObject.spec.holder + "': only its holder may delete it, or who has the verb '${REVOKE_VERB}' on ${plural} (ClusterRole intercept-admin)"`,
      message: `only the holder may delete ${article} ${kind}`,
      reason: 'Forbidden',
    },
  ]
}

/**
 * What makes the Intercept a login. The status has a subresource of its own, which the policy does not match; RBAC gives
 * it to the proxy alone.
 * @param wholeService 'true' or 'false': whether an Intercept without a match is everybody's to make
 */
export function admissionPolicy(systemNamespace: string, wholeService = 'true'): AdmissionObject {
  const { plural } = interceptType
  return policy(ADMISSION_POLICY, interceptType, {
    variables: [...variables(systemNamespace), { name: 'wholeService', expression: wholeService }],
    validations: [
      ...heldByItsMaker(interceptType),
      {
        expression: [
          "request.operation != 'CREATE' || variables.wholeService || has(object.spec.match)",
          `authorizer.group('${GROUP}').resource('${plural}').namespace(request.namespace).check('${INTERCEPT_WHOLE_VERB}').allowed()`,
        ].join(' || '),
        messageExpression: `"in this cluster an intercept takes a part of the requests of '" + object.spec.service + "', not all: add --as NAME or --header 'NAME=VALUE' (all of them: who has the verb '${INTERCEPT_WHOLE_VERB}' on ${plural}, ClusterRole intercept-admin)"`,
        message: "intercepts of whole Services are switched off: add --as NAME or --header 'NAME=VALUE'",
        reason: 'Forbidden',
      },
      {
        // The proxy reads the Secret for her: she must be able to, by herself.
        expression: [
          "request.operation != 'CREATE' || !has(object.spec.tls)",
          "authorizer.group('').resource('secrets').namespace(request.namespace).name(object.spec.tls.secretName).check('get').allowed()",
        ].join(' || '),
        messageExpression: `"you may not read Secret '" + object.spec.tls.secretName + "' in this namespace, so no intercept of yours may use it"`,
        message: 'spec.tls.secretName must be a Secret that you may read',
        reason: 'Forbidden',
      },
    ],
  })
}

/** What makes the Connection a login, and keeps it in its namespace. `reach` never changes: the CRD sees to that. */
export function connectionPolicy(systemNamespace: string): AdmissionObject {
  const { plural } = connectionType
  return policy(CONNECTION_POLICY, connectionType, {
    variables: variables(systemNamespace),
    validations: [
      ...heldByItsMaker(connectionType),
      {
        expression: [
          "request.operation != 'CREATE' || object.spec.reach != 'anywhere'",
          `authorizer.group('${GROUP}').resource('${plural}').namespace(request.namespace).check('${REACH_ANYWHERE_VERB}').allowed()`,
        ].join(' || '),
        messageExpression: `"a Connection that reaches beyond the Services of namespace '" + request.namespace + "' is for who has the verb '${REACH_ANYWHERE_VERB}' on ${plural} there (ClusterRole intercept-outbound, part of edit)"`,
        message: `spec.reach 'anywhere' needs the verb '${REACH_ANYWHERE_VERB}' on ${plural} (ClusterRole intercept-outbound)`,
        reason: 'Forbidden',
      },
    ],
  })
}

/** The policies of both kinds, and their bindings. @param wholeService as of `admissionPolicy` */
export function admissionObjects(systemNamespace: string, wholeService: string): AdmissionObject[] {
  return [admissionPolicy(systemNamespace, wholeService), connectionPolicy(systemNamespace)].flatMap((one) => [
    one,
    admissionPolicyBinding(one.metadata.name),
  ])
}

export function admissionPolicyBinding(name: string): AdmissionObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  }
}

function policy(
  name: string,
  { group, plural }: ResourceType,
  rules: { readonly variables: readonly Named[]; readonly validations: readonly Validation[] },
): AdmissionObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: [group], apiVersions: ['*'], operations: ['CREATE', 'UPDATE', 'DELETE'], resources: [plural] },
        ],
      },
      ...rules,
    },
  }
}

function unchanged(field: string): string {
  const of = (object: string): string => `(has(${object}.metadata.${field}) ? ${object}.metadata.${field} : [])`
  return `${of('object')} == ${of('oldObject')}`
}
