// Reasons of conditions, by the names of the Go API (sigs.k8s.io/gateway-api/apis/v1, v1.6.1).

/** GatewayClassConditionReason. */
export type GatewayClassReason = 'Accepted' | 'InvalidParameters' | 'SupportedVersion' | 'UnsupportedVersion'

/** GatewayConditionReason. */
export type GatewayReason =
  | 'Accepted'
  | 'AddressNotAssigned'
  | 'AddressNotUsable'
  | 'ConfigurationChanged'
  | 'Invalid'
  | 'InvalidClientCertificateRef'
  | 'InvalidParameters'
  | 'ListenersNotResolved'
  | 'ListenersNotValid'
  | 'Programmed'
  | 'RefNotPermitted'
  | 'ResolvedRefs'
  | 'UnsupportedAddress'

/** ListenerConditionReason and ListenerEntryConditionReason. */
export type ListenerReason =
  | 'Accepted'
  | 'HostnameConflict'
  | 'Invalid'
  | 'InvalidCACertificateKind'
  | 'InvalidCACertificateRef'
  | 'InvalidCertificateRef'
  | 'InvalidRouteKinds'
  | 'NoConflicts'
  | 'NoValidCACertificate'
  | 'OverlappingHostnames'
  | 'Pending'
  | 'PortUnavailable'
  | 'Programmed'
  | 'ProtocolConflict'
  | 'RefNotPermitted'
  | 'ResolvedRefs'
  | 'TooManyListeners'
  | 'UnsupportedProtocol'
  | 'UnsupportedValue'

/** ListenerSetConditionReason. ParentNotProgrammed has no constant; the comment of ListenerSetConditionProgrammed names it. */
export type ListenerSetReason =
  | 'Accepted'
  | 'ListenersNotValid'
  | 'NotAllowed'
  | 'ParentNotAccepted'
  | 'ParentNotProgrammed'
  | 'Programmed'

/** RouteConditionReason. */
export type RouteReason =
  | 'Accepted'
  | 'BackendNotFound'
  | 'InvalidKind'
  | 'NoMatchingListenerHostname'
  | 'NoMatchingParent'
  | 'NotAllowedByListeners'
  | 'RefNotPermitted'
  | 'ResolvedRefs'
  | 'UnsupportedProtocol'
  | 'UnsupportedValue'

/** PolicyConditionReason, with those of BackendTLSPolicy. */
export type PolicyReason =
  | 'Accepted'
  | 'Conflicted'
  | 'Invalid'
  | 'InvalidCACertificateRef'
  | 'InvalidKind'
  | 'NoValidCACertificate'
  | 'ResolvedRefs'
  | 'TargetNotFound'

/** Landfall's own reasons: controllers may use others where none of the API's fits. */
export type OwnReason =
  // ResolvedRefs of a route: an annotation of the Service says how the Worker reaches it, and cannot be followed.
  | 'InvalidOrigin'
  // Accepted of a route: together with older routes it would make the Gateway's table larger than its bound.
  | 'TableFull'
  // Accepted of a route: an older route of the other of HTTPRoute and GRPCRoute has the hostname (GRPCRouteSpec.hostnames).
  | 'HostnameTaken'
  // Without a condition of the API.
  | 'AddressLost'
  | 'NoEndpoints'
  | 'NoTraffic'
  | 'PoolConflict'
  | 'RegularExpression'
  | 'UnknownParent'
  | 'UnknownValue'

export type Reason =
  | GatewayClassReason
  | GatewayReason
  | ListenerReason
  | ListenerSetReason
  | RouteReason
  | PolicyReason
  | OwnReason
