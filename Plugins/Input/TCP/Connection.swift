import Glibc
import PluginABI
import SecureTransport
import Sockets

/// One exporter's connection, and what has come of its next message.
final class Connection {
  let descriptor: Int32
  let peer: SocketAddress
  let session: UnsafePointer<flowcep_session>
  /// In the order in which connections were taken.
  let number: Int
  /// What lies between the connection and its bytes; nil over plain TCP.
  private let secure: SecureStream?
  /// The first bytes of a message that is not whole yet; never more than a message is long.
  private(set) var pending: [UInt8] = []
  /// It has sent a whole message.
  var hasSpoken = false

  init(descriptor: Int32, peer: SocketAddress, session: UnsafePointer<flowcep_session>, secure: SecureStream?, number: Int) {
    self.descriptor = descriptor
    self.peer = peer
    self.session = session
    self.secure = secure
    self.number = number
  }

  deinit {
    secure?.sayGoodbye()
    close(descriptor)
  }

  /// Something can be received though the descriptor itself has nothing.
  var hasMore: Bool { secure?.hasMore ?? false }

  enum Received {
    /// So many bytes are there, the pending ones first.
    case bytes(Int)
    case nothingYet
    case ended(String?)
  }

  /// The pending bytes and what has come behind them.
  func receive(into room: UnsafeMutableRawBufferPointer) -> Received {
    room.copyBytes(from: pending)
    if let secure { return receive(from: secure, into: UnsafeMutableRawBufferPointer(rebasing: room[pending.count...])) }
    while true {
      let count = recv(descriptor, room.baseAddress.map { $0 + pending.count }, room.count - pending.count, 0)
      if count > 0 { return .bytes(pending.count + count) }
      if count == 0 { return .ended(cutOff) }
      switch errno {
      case EINTR: continue
      case EAGAIN: return .nothingYet
      default: return .ended(String(cString: strerror(errno)))
      }
    }
  }

  private func receive(from secure: SecureStream, into room: UnsafeMutableRawBufferPointer) -> Received {
    switch secure.receive(into: room) {
    case .bytes(let count): .bytes(pending.count + count)
    case .nothingYet: .nothingYet
    case .ended(let reason): .ended(reason ?? cutOff)
    }
  }

  private var cutOff: String? {
    pending.isEmpty ? nil : "it ended in the middle of a message, of which \(pending.count) bytes had come"
  }

  func keep(_ rest: UnsafeRawBufferPointer) {
    pending.removeAll(keepingCapacity: pending.capacity <= 4096)
    pending.append(contentsOf: rest)
  }
}
