import CZeroMQ
import Glibc
import PluginKit

/// A PUB or PUSH socket of libzmq, of one thread at a time.
///
/// PUB is an XPUB with ZMQ_XPUB_NODROP: on the wire the same, but it says when a subscriber's queue is full instead of dropping in silence,
/// and it tells of subscriptions, so that messages for nobody can be counted.
final class MessageSocket {
  private let context: UnsafeMutableRawPointer
  private let socket: UnsafeMutableRawPointer
  private let publishes: Bool
  private let topic: [UInt8]
  /// What peers have subscribed to: each a prefix of the topics that they want.
  private var subscriptions: Set<[UInt8]> = []
  private var isClosed = false

  init(publishes: Bool, topic: String, highWaterMark: Int) throws(PluginError) {
    guard let context = zmq_ctx_new(), let socket = zmq_socket(context, publishes ? ZMQ_XPUB : ZMQ_PUSH) else {
      throw PluginError("no ZeroMQ socket: \(Self.reason)")
    }
    (self.context, self.socket, self.publishes, self.topic) = (context, socket, publishes, Array(topic.utf8))
    set(ZMQ_SNDHWM, Int32(clamping: highWaterMark))
    if publishes { set(ZMQ_XPUB_NODROP, 1) }
    set(ZMQ_IPV6, 1)
  }

  deinit { if !isClosed { close(lingerMilliseconds: 0) } }

  /// Returns the endpoint with the port that the system chose where `*` or 0 stood for it.
  func bind(_ endpoint: String) throws(PluginError) -> String {
    guard zmq_bind(socket, endpoint) == 0 else { throw PluginError("cannot bind to \(endpoint): \(Self.reason); change \"bind\"") }
    var text = [CChar](repeating: 0, count: 1024)
    var length = text.count
    zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, &text, &length)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func connect(_ endpoint: String) throws(PluginError) {
    guard zmq_connect(socket, endpoint) == 0 else { throw PluginError("cannot connect to \(endpoint): \(Self.reason); change \"connect\"") }
  }

  /// False where every message would go to nobody. Of PUSH nothing is known before it is tried.
  var hasPeer: Bool { !publishes || subscriptions.contains { topic.starts(with: $0) } }

  /// Reads what peers have subscribed to and unsubscribed from; returns the new subscriptions.
  func takeSubscriptions() -> [String] {
    guard publishes else { return [] }
    var new: [String] = []
    var message = [UInt8](repeating: 0, count: 512)
    while true {
      let count = Int(zmq_recv(socket, &message, message.count, ZMQ_DONTWAIT))
      guard count >= 1 else { return new }
      let prefix = Array(message[1..<min(count, message.count)])
      if message[0] == 1 {
        subscriptions.insert(prefix)
        new.append(String(decoding: prefix, as: UTF8.self))
      } else {
        subscriptions.remove(prefix)
      }
    }
  }

  /// PUB: topic and body as two parts. PUSH: the body alone. False where there is no room; the message is dropped then.
  func send(_ body: UnsafeRawBufferPointer) -> Bool {
    if publishes, zmq_send(socket, topic, topic.count, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0 { return false }
    return zmq_send(socket, body.baseAddress, body.count, ZMQ_DONTWAIT) >= 0
  }

  /// Waits at most so long for peers to take what is queued.
  func close(lingerMilliseconds: Int) {
    set(ZMQ_LINGER, Int32(clamping: lingerMilliseconds))
    zmq_close(socket)
    zmq_ctx_term(context)
    isClosed = true
  }

  private func set(_ option: Int32, _ value: Int32) {
    var value = value
    zmq_setsockopt(socket, option, &value, MemoryLayout<Int32>.size)
  }

  private static var reason: String { String(cString: zmq_strerror(zmq_errno())) }
}
