import Glibc
import IPFIX
import PluginABI
import PluginHost
import RecordBatch

/// Keeps the templates of UDP sessions in a file: read when the input begins, written anew within a second of a change. Of the
/// input's thread.
final class TemplateKeeper {
  let path: String
  private var archive: TemplateArchive
  private var savedTemplates: UInt64 = 0
  private var nextSave: UInt64 = 0
  private var hasFailed = false
  /// How often the file has been written.
  private(set) var saves = 0

  private static let interval: UInt64 = 1_000_000_000
  private static let longestFile = 64 << 20
  /// What nobody has defined for so long is forgotten.
  private static let oldestSeconds: UInt64 = 7 * 86_400

  init(path: String, _ decoder: Decoder) {
    self.path = path
    archive = TemplateArchive(Self.read(path))
    archive.forget(before: Clock.wall() / 1_000_000_000 - Self.oldestSeconds)
    decoder.archive = archive
  }

  /// Writes the file where something has changed; what went wrong is said once.
  func save(_ sessions: some Sequence<Session>, _ decoder: Decoder, atEnd: Bool) -> String? {
    let changes = decoder.counts.templates &+ decoder.counts.expiredTemplates
    let now = Clock.monotonic()
    guard changes != savedTemplates || atEnd, now >= nextSave || atEnd else { return nil }
    nextSave = now + Self.interval
    for session in sessions where session.raw.pointee.transport == UInt16(FLOWCEP_TRANSPORT_UDP) { archive.update(from: session) }
    savedTemplates = changes
    let failure = Self.write(archive.text, to: path)
    if failure == nil { saves += 1 }
    defer { hasFailed = failure != nil }
    return hasFailed ? nil : failure
  }

  private static func read(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < longestFile, case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Beside it first, then in its place: whoever reads it sees the old file or the new one.
  private static func write(_ text: String, to path: String) -> String? {
    let beside = path + ".new"
    let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return String(cString: strerror(errno)) }
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR {
        let reason = String(cString: strerror(errno))
        close(descriptor)
        return reason
      }
      bytes = bytes.dropFirst(max(0, count))
    }
    fsync(descriptor)
    close(descriptor)
    return rename(beside, path) == 0 ? nil : String(cString: strerror(errno))
  }
}
