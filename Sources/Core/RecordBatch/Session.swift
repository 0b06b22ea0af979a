public import PluginABI
import Synchronization

/// One transport session, the host's side: owns the C struct that plugins see.
///
/// What the decoder remembers of a session (templates, sequence numbers) hangs on it, so that finding it needs no lookup.
public final class Session: @unchecked Sendable {
  public let raw: UnsafeMutablePointer<flowcep_session>
  /// The decoder's state for this session; touched by the thread that decodes it, and by nobody else.
  public var decoderState: AnyObject?
  public let name: String

  private static let nextID = Atomic<UInt64>(1)

  /// - Parameter name: for people: "127.0.0.1:40312", or a file's path.
  public init(copying description: flowcep_session, name: String) {
    self.name = name
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<flowcep_session>.stride + MemoryLayout<UnsafeRawPointer>.stride, alignment: 16)
    raw = memory.bindMemory(to: flowcep_session.self, capacity: 1)
    var session = description
    session.struct_size = UInt32(MemoryLayout<flowcep_session>.size)
    session.id = Self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
    session.name = UnsafePointer(copyCString(name))
    raw.initialize(to: session)
    ownerSlot(behind: raw).initialize(to: UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()))
  }

  deinit {
    UnsafeMutablePointer(mutating: raw.pointee.name)?.deallocate()
    UnsafeMutableRawPointer(raw).deallocate()
  }

  public var id: UInt64 { raw.pointee.id }

  /// The session whose C struct this is. Only for pointers that a `Session` gave out.
  @inlinable
  public static func from(_ raw: UnsafePointer<flowcep_session>) -> Session {
    Unmanaged<Session>.fromOpaque(ownerSlot(behind: UnsafeMutablePointer(mutating: raw)).pointee).takeUnretainedValue()
  }
}

/// The host keeps the Swift object's address right behind the struct that plugins see.
@usableFromInline
func ownerSlot<T>(behind raw: UnsafeMutablePointer<T>) -> UnsafeMutablePointer<UnsafeRawPointer> {
  (UnsafeMutableRawPointer(raw) + MemoryLayout<T>.stride).assumingMemoryBound(to: UnsafeRawPointer.self)
}

/// A copy of a text as C sees it; the caller deallocates it.
func copyCString(_ text: String) -> UnsafeMutablePointer<CChar> {
  let bytes = Array(text.utf8CString)
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  copy.initialize(from: bytes, count: bytes.count)
  return copy
}
