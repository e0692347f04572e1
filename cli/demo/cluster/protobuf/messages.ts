/**
 * The messages that kubectl's `create` and `auth` commands send, which are the ones that it sends as protobuf. Each field:
 * its number in k8s.io/api's generated.proto, its JSON name, its type. Types: s string, i integer, b boolean, y bytes,
 * t time, q quantity, x integer or string, or a message; `*` repeated, `%` map from strings, `~` inlined into its parent.
 * Volumes of other kinds than the kubelet knows, security contexts and affinities are left out.
 */
export const protobufMessages: Readonly<Record<string, string>> = {
  AggregationRule: '1 clusterRoleSelectors *LabelSelector',
  BoundObjectReference: '1 kind s, 2 apiVersion s, 3 name s, 4 uID s',
  ClusterRole: '1 metadata ObjectMeta, 2 rules *PolicyRule, 3 aggregationRule AggregationRule',
  ClusterRoleBinding: '1 metadata ObjectMeta, 2 subjects *Subject, 3 roleRef RoleRef',
  ConfigMap: '1 metadata ObjectMeta, 4 immutable b, 2 data %s, 3 binaryData %y',
  ConfigMapEnvSource: '1 localObjectReference ~LocalObjectReference, 2 optional b',
  ConfigMapKeySelector: '1 localObjectReference ~LocalObjectReference, 2 key s, 3 optional b',
  ConfigMapProjection: '1 localObjectReference ~LocalObjectReference, 2 items *KeyToPath, 4 optional b',
  ConfigMapVolumeSource:
    '1 localObjectReference ~LocalObjectReference, 2 items *KeyToPath, 3 defaultMode i, 4 optional b',
  Container:
    '1 name s, 2 image s, 3 command *s, 4 args *s, 5 workingDir s, 6 ports *ContainerPort, 19 envFrom *EnvFromSource, 7 env *EnvVar, 8 resources ResourceRequirements, 24 restartPolicy s, 9 volumeMounts *VolumeMount, 10 livenessProbe Probe, 11 readinessProbe Probe, 22 startupProbe Probe, 12 lifecycle Lifecycle, 13 terminationMessagePath s, 20 terminationMessagePolicy s, 14 imagePullPolicy s, 16 stdin b, 17 stdinOnce b, 18 tty b',
  ContainerPort: '1 name s, 2 hostPort i, 3 containerPort i, 4 protocol s, 5 hostIP s',
  DeleteOptions:
    '1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents b, 4 propagationPolicy s, 5 dryRun *s, 6 ignoreStoreReadErrorWithClusterBreakingPotential b',
  Deployment: '1 metadata ObjectMeta, 2 spec DeploymentSpec',
  DeploymentSpec:
    '1 replicas i, 2 selector LabelSelector, 3 template PodTemplateSpec, 4 strategy DeploymentStrategy, 5 minReadySeconds i, 6 revisionHistoryLimit i, 7 paused b, 9 progressDeadlineSeconds i',
  DeploymentStrategy: '1 type s, 2 rollingUpdate RollingUpdateDeployment',
  DownwardAPIProjection: '1 items *DownwardAPIVolumeFile',
  DownwardAPIVolumeFile: '1 path s, 2 fieldRef ObjectFieldSelector, 3 resourceFieldRef ResourceFieldSelector, 4 mode i',
  DownwardAPIVolumeSource: '1 items *DownwardAPIVolumeFile, 2 defaultMode i',
  EmptyDirVolumeSource: '1 medium s, 2 sizeLimit q',
  EnvFromSource: '1 prefix s, 2 configMapRef ConfigMapEnvSource, 3 secretRef SecretEnvSource',
  EnvVar: '1 name s, 2 value s, 3 valueFrom EnvVarSource',
  EnvVarSource:
    '1 fieldRef ObjectFieldSelector, 2 resourceFieldRef ResourceFieldSelector, 3 configMapKeyRef ConfigMapKeySelector, 4 secretKeyRef SecretKeySelector',
  Eviction: '1 metadata ObjectMeta, 2 deleteOptions DeleteOptions',
  ExecAction: '1 command *s',
  ExtraValue: '1 items *s',
  HTTPGetAction: '1 path s, 2 port x, 3 host s, 4 scheme s, 5 httpHeaders *HTTPHeader',
  HTTPHeader: '1 name s, 2 value s',
  Job: '1 metadata ObjectMeta, 2 spec JobSpec',
  JobSpec:
    '1 parallelism i, 2 completions i, 3 activeDeadlineSeconds i, 7 backoffLimit i, 12 backoffLimitPerIndex i, 13 maxFailedIndexes i, 4 selector LabelSelector, 5 manualSelector b, 6 template PodTemplateSpec, 8 ttlSecondsAfterFinished i, 9 completionMode s, 10 suspend b, 14 podReplacementPolicy s, 15 managedBy s',
  KeyToPath: '1 key s, 2 path s, 3 mode i',
  LabelSelector: '1 matchLabels %s, 2 matchExpressions *LabelSelectorRequirement',
  LabelSelectorRequirement: '1 key s, 2 operator s, 3 values *s',
  Lifecycle: '1 postStart LifecycleHandler, 2 preStop LifecycleHandler, 3 stopSignal s',
  LifecycleHandler: '1 exec ExecAction, 2 httpGet HTTPGetAction, 3 tcpSocket TCPSocketAction, 4 sleep SleepAction',
  LocalObjectReference: '1 name s',
  Namespace: '1 metadata ObjectMeta, 2 spec NamespaceSpec',
  NamespaceSpec: '1 finalizers *s',
  NonResourceAttributes: '1 path s, 2 verb s',
  NonResourceRule: '1 verbs *s, 2 nonResourceURLs *s',
  ObjectFieldSelector: '1 apiVersion s, 2 fieldPath s',
  ObjectMeta:
    '1 name s, 2 generateName s, 3 namespace s, 4 selfLink s, 5 uid s, 6 resourceVersion s, 7 generation i, 8 creationTimestamp t, 9 deletionTimestamp t, 10 deletionGracePeriodSeconds i, 11 labels %s, 12 annotations %s, 13 ownerReferences *OwnerReference, 14 finalizers *s',
  ObjectReference: '1 kind s, 2 namespace s, 3 name s, 4 uid s, 5 apiVersion s, 6 resourceVersion s, 7 fieldPath s',
  OwnerReference: '5 apiVersion s, 1 kind s, 3 name s, 4 uid s, 6 controller b, 7 blockOwnerDeletion b',
  Pod: '1 metadata ObjectMeta, 2 spec PodSpec',
  PodSpec:
    '1 volumes *Volume, 20 initContainers *Container, 2 containers *Container, 3 restartPolicy s, 4 terminationGracePeriodSeconds i, 5 activeDeadlineSeconds i, 6 dnsPolicy s, 7 nodeSelector %s, 8 serviceAccountName s, 9 serviceAccount s, 21 automountServiceAccountToken b, 10 nodeName s, 11 hostNetwork b, 12 hostPID b, 13 hostIPC b, 27 shareProcessNamespace b, 15 imagePullSecrets *LocalObjectReference, 16 hostname s, 17 subdomain s, 19 schedulerName s, 22 tolerations *Toleration, 24 priorityClassName s, 25 priority i, 29 runtimeClassName s, 30 enableServiceLinks b, 31 preemptionPolicy s, 32 overhead %q, 35 setHostnameAsFQDN b, 37 hostUsers b, 40 resources ResourceRequirements, 41 hostnameOverride s',
  PodTemplateSpec: '1 metadata ObjectMeta, 2 spec PodSpec',
  PolicyRule: '1 verbs *s, 2 apiGroups *s, 3 resources *s, 4 resourceNames *s, 5 nonResourceURLs *s',
  Preconditions: '1 uid s, 2 resourceVersion s',
  Probe:
    '1 handler ~ProbeHandler, 2 initialDelaySeconds i, 3 timeoutSeconds i, 4 periodSeconds i, 5 successThreshold i, 6 failureThreshold i, 7 terminationGracePeriodSeconds i',
  ProbeHandler: '1 exec ExecAction, 2 httpGet HTTPGetAction, 3 tcpSocket TCPSocketAction',
  ProjectedVolumeSource: '1 sources *VolumeProjection, 2 defaultMode i',
  ResourceAttributes: '1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s',
  ResourceFieldSelector: '1 containerName s, 2 resource s, 3 divisor q',
  ResourceRequirements: '1 limits %q, 2 requests %q',
  ResourceRule: '1 verbs *s, 2 apiGroups *s, 3 resources *s, 4 resourceNames *s',
  Role: '1 metadata ObjectMeta, 2 rules *PolicyRule',
  RoleBinding: '1 metadata ObjectMeta, 2 subjects *Subject, 3 roleRef RoleRef',
  RoleRef: '1 apiGroup s, 2 kind s, 3 name s',
  RollingUpdateDeployment: '1 maxUnavailable x, 2 maxSurge x',
  Secret: '1 metadata ObjectMeta, 5 immutable b, 2 data %y, 4 stringData %s, 3 type s',
  SecretEnvSource: '1 localObjectReference ~LocalObjectReference, 2 optional b',
  SecretKeySelector: '1 localObjectReference ~LocalObjectReference, 2 key s, 3 optional b',
  SecretProjection: '1 localObjectReference ~LocalObjectReference, 2 items *KeyToPath, 4 optional b',
  SecretVolumeSource: '1 secretName s, 2 items *KeyToPath, 3 defaultMode i, 4 optional b',
  SelfSubjectAccessReview:
    '1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec, 3 status SubjectAccessReviewStatus',
  SelfSubjectAccessReviewSpec: '1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes',
  SelfSubjectReview: '1 metadata ObjectMeta, 2 status SelfSubjectReviewStatus',
  SelfSubjectReviewStatus: '1 userInfo UserInfo',
  SelfSubjectRulesReview: '1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec, 3 status SubjectRulesReviewStatus',
  SelfSubjectRulesReviewSpec: '1 namespace s',
  Service: '1 metadata ObjectMeta, 2 spec ServiceSpec',
  ServiceAccount:
    '1 metadata ObjectMeta, 2 secrets *ObjectReference, 3 imagePullSecrets *LocalObjectReference, 4 automountServiceAccountToken b',
  ServiceAccountTokenProjection: '1 audience s, 2 expirationSeconds i, 3 path s',
  ServicePort: '1 name s, 2 protocol s, 6 appProtocol s, 3 port i, 4 targetPort x, 5 nodePort i',
  ServiceSpec:
    '1 ports *ServicePort, 2 selector %s, 3 clusterIP s, 18 clusterIPs *s, 4 type s, 5 externalIPs *s, 7 sessionAffinity s, 8 loadBalancerIP s, 9 loadBalancerSourceRanges *s, 10 externalName s, 11 externalTrafficPolicy s, 12 healthCheckNodePort i, 13 publishNotReadyAddresses b, 19 ipFamilies *s, 17 ipFamilyPolicy s, 20 allocateLoadBalancerNodePorts b, 21 loadBalancerClass s, 22 internalTrafficPolicy s, 23 trafficDistribution s',
  SleepAction: '1 seconds i',
  Subject: '1 kind s, 2 apiGroup s, 3 name s, 4 namespace s',
  SubjectAccessReviewStatus: '1 allowed b, 4 denied b, 2 reason s, 3 evaluationError s',
  SubjectRulesReviewStatus:
    '1 resourceRules *ResourceRule, 2 nonResourceRules *NonResourceRule, 3 incomplete b, 4 evaluationError s',
  TCPSocketAction: '1 port x, 2 host s',
  TokenRequest: '1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status TokenRequestStatus',
  TokenRequestSpec: '1 audiences *s, 4 expirationSeconds i, 3 boundObjectRef BoundObjectReference',
  TokenRequestStatus: '1 token s, 2 expirationTimestamp t',
  Toleration: '1 key s, 2 operator s, 3 value s, 4 effect s, 5 tolerationSeconds i',
  UserInfo: '1 username s, 2 uid s, 3 groups *s, 4 extra %ExtraValue',
  Volume: '1 name s, 2 volumeSource ~VolumeSource',
  VolumeMount:
    '1 name s, 2 readOnly b, 7 recursiveReadOnly s, 3 mountPath s, 4 subPath s, 5 mountPropagation s, 6 subPathExpr s',
  VolumeProjection:
    '1 secret SecretProjection, 2 downwardAPI DownwardAPIProjection, 3 configMap ConfigMapProjection, 4 serviceAccountToken ServiceAccountTokenProjection',
  VolumeSource:
    '2 emptyDir EmptyDirVolumeSource, 6 secret SecretVolumeSource, 16 downwardAPI DownwardAPIVolumeSource, 19 configMap ConfigMapVolumeSource, 26 projected ProjectedVolumeSource',
}
