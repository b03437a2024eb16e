/** Status codes of gRPC, those that a proxy gives by itself. https://grpc.io/docs/guides/status-codes/ */
const Status = {
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

/** The gRPC status that an HTTP status stands for, by gRPC's "HTTP to gRPC Status Code Mapping"; but a gateway's 504 is a
 *  deadline that has passed. */
export function grpcStatus(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return Status.internal
    case 401:
      return Status.unauthenticated
    case 403:
      return Status.permissionDenied
    case 404:
      return Status.unimplemented
    case 429:
    case 502:
    case 503:
      return Status.unavailable
    case 504:
      return Status.deadlineExceeded
    default:
      return Status.unknown
  }
}

/** Whether a content-type is that of a gRPC message: such a client reads grpc-status and no HTTP status. */
export const isGrpc = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/grpc(?:$|[+;])/i.test(contentType)

/** Whether a content-type is that of gRPC-Web, as which Cloudflare hands gRPC to a Worker: such a client reads grpc-status, too. */
export const isGrpcWeb = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^application\/grpc-web(?:$|[+;])/i.test(contentType)
