import CMicroHTTPD
import Configuration
import Glibc
import Sockets
import Telemetry

/// The pages for monitoring, over HTTP: metrics, health, readiness.
final class MetricsServer: @unchecked Sendable {
  struct Failure: Error { var reason: String }

  let address: SocketAddress
  private let source: StatusSource
  private let sessions: Int
  private let socket: BoundSocket
  private var server: OpaquePointer?

  /// Listens, and answers nobody yet.
  init(_ configuration: MetricsConfiguration, _ source: StatusSource) throws(Failure) {
    guard let wanted = SocketAddress(configuration.address, port: configuration.port) else {
      throw Failure(reason: "\"\(configuration.address)\" is no address")
    }
    do throws(BoundSocket.Failure) { socket = try BoundSocket(.tcp, on: wanted) } catch {
      let advice = error.errno == EADDRNOTAVAIL ? "localIPAddress" : "localPort"
      throw Failure(reason: "cannot serve metrics on \(wanted): \(error.reason); change \(advice) of \"metrics\"")
    }
    (address, self.source, sessions) = (socket.address, source, configuration.sessions)
  }

  func start() throws(Failure) {
    var reason: UnsafePointer<CChar>?
    // The library closes the descriptor that it is given.
    server = flowcep_page_server_start(
      fcntl(socket.descriptor, F_DUPFD_CLOEXEC, 0),
      { context, path in
        guard let context, let path else { return MetricsServer.page(500, "no page\n") }
        return Unmanaged<MetricsServer>.fromOpaque(context).takeUnretainedValue().page(String(cString: path))
      }, Unmanaged.passUnretained(self).toOpaque(), &reason)
    if server == nil { throw Failure(reason: "cannot serve metrics: \(reason.map { String(cString: $0) } ?? "no memory")") }
  }

  func stop() {
    if let server { flowcep_page_server_stop(server) }
    server = nil
  }

  /// Any thread.
  private func page(_ path: String) -> flowcep_page {
    switch path {
    case "/metrics":
      let status = source.status(sessions: sessions, withTemplates: false, mayBeRecent: true)
      return Self.page(200, status.metrics.text, type: Self.metricsType)
    case "/health", "/healthz", "/-/healthy": return Self.page(200, "alive\n")
    case "/ready", "/readyz", "/-/ready":
      let phase = source.phase
      return phase == .running ? Self.page(200, "ready\n") : Self.page(503, "not ready: \(phase)\n")
    case "/": return Self.page(200, "/metrics\n/health\n/ready\n")
    default: return Self.page(404, "no such page; there are /metrics, /health and /ready\n")
    }
  }

  private static func page(_ status: UInt32, _ text: String, type: UnsafePointer<CChar> = textType) -> flowcep_page {
    let copy = strdup(text)
    return flowcep_page(status: copy == nil ? 500 : status, type: type, text: copy, length: copy.map { strlen($0) } ?? 0)
  }

  // For as long as the process lives.
  nonisolated(unsafe) private static let textType = UnsafePointer(strdup("text/plain; charset=utf-8")!)
  nonisolated(unsafe) private static let metricsType = UnsafePointer(strdup(MetricsText.contentType)!)
}
