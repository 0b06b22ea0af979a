import Glibc
import IPFIX
import PluginABI
import PluginHost
import RecordBatch

/// Where an input keeps templates.
public struct TemplatesFile: Sendable {
  public var path: String
  /// Nobody has asked for that file: a folder that cannot be written to is no mistake.
  public var isStandard: Bool
  /// Files of inputs that a source may have been with before; read only.
  public var siblings: [String] = []

  public init(path: String, isStandard: Bool) {
    self.path = path
    self.isStandard = isStandard
  }
}

/// Keeps the templates of UDP sessions in a file: read when the input begins, written anew at once when a template has come, and every
/// minute while anything comes. Of the input's thread, which looks at the sessions that have something new; another one makes the text and writes it.
final class TemplateKeeper {
  let file: TemplatesFile
  private var archive: TemplateArchive
  private let writer: TextWriter
  private var savedTemplates: UInt64 = 0
  private var savedMessages: UInt64 = 0
  private var nextSave: UInt64 = 0
  private var nextRefresh: UInt64 = 0
  private var isSaid = false

  /// Looking at the sessions may take a twentieth of the thread's time.
  private static let rarity: UInt64 = 20
  private static let longestPause: UInt64 = 5_000_000_000
  private static let refreshInterval: UInt64 = 60_000_000_000
  private static let longestFile = 64 << 20
  /// What nobody has defined for so long is forgotten.
  private static let oldestSeconds: UInt64 = 7 * 86_400

  init(_ file: TemplatesFile, _ decoder: Decoder) {
    self.file = file
    // A collector that was killed may have left the newer text beside the file.
    archive = TemplateArchive((file.siblings + [file.path]).flatMap { [Self.read($0), Self.read(TextWriter.beside($0))] })
    archive.forget(before: Clock.wall() / 1_000_000_000 - Self.oldestSeconds)
    decoder.archive = archive
    writer = TextWriter(path: file.path)
  }

  /// Has the file written where something has changed.
  func save(_ sessions: some Sequence<Session>, _ decoder: Decoder, atEnd: Bool) {
    let changes = decoder.counts.templates &+ decoder.counts.expiredTemplates
    let messages = decoder.counts.messages
    let now = Clock.monotonic()
    let isDue = changes != savedTemplates ? now >= nextSave : messages != savedMessages && now >= nextRefresh
    guard isDue || atEnd && messages != savedMessages else { return }
    let isRefresh = atEnd || now >= nextRefresh
    for session in sessions where session.raw.pointee.transport == UInt16(FLOWCEP_TRANSPORT_UDP) {
      archive.update(from: session, onlyIfChanged: !isRefresh)
    }
    archive.bound()
    // Nothing to keep, and nothing that was kept before.
    if !archive.isEmpty || changes != savedTemplates { writer.write { [archive] in archive.text } }
    (savedTemplates, savedMessages) = (changes, messages)
    nextSave = now + min((Clock.monotonic() - now) * Self.rarity, Self.longestPause)
    if isRefresh { nextRefresh = now + Self.refreshInterval }
  }

  /// No more is written when this returns.
  func finish() { writer.finish() }

  /// What is worth a line in the log, once: that templates are kept, or why they cannot be.
  func takeNews() -> (isFailure: Bool, text: String)? {
    guard !isSaid, let result = writer.firstResult else { return nil }
    isSaid = true
    switch result {
    case .success: return (false, "templates are kept in \(file.path)")
    case .failure(let failure): return (!file.isStandard, "templates cannot be kept in \(file.path): \(failure.reason)")
    }
  }

  private static func read(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < longestFile, case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
