import PluginABI
public import RecordBatch

/// The templates of exporters over UDP as a text that outlives the collector, so that what they send after its restart is
/// understood before they define their templates again.
///
/// A line is an exporter's address and port, version, domain, template id, scope fields (`-` for a flow template), when it was
/// defined (seconds since 1970), and the fields: `element:length` or `enterprise/element:length`.
public struct TemplateArchive: Sendable {
  /// An address as sixteen bytes, and a port.
  struct Exporter: Hashable, Sendable {
    let address: [UInt8]
    let port: UInt16

    init(_ session: Session) {
      address = withUnsafeBytes(of: session.raw.pointee.remote_address) { Array($0) }
      port = session.raw.pointee.remote_port
    }

    init(address: [UInt8], port: UInt16) { (self.address, self.port) = (address, port) }
  }

  struct Entry: Sendable, Equatable {
    var domain: Domain.Key
    var definition: TemplateRecord
    var seconds: UInt64
  }

  /// How long a restored template is valid where the configuration does not say.
  static let lifetimeSeconds: UInt64 = 1800
  private static let mostLines = 1 << 16

  private var exporters: [Exporter: [Entry]] = [:]

  public init() {}

  /// What `text` says; lines that say nothing sensible are left out.
  public init(_ text: String) {
    for line in text.split(separator: "\n").prefix(Self.mostLines) {
      guard let (exporter, entry) = Self.read(line) else { continue }
      exporters[exporter, default: []].append(entry)
    }
  }

  /// The exporter's templates; those of another port of its address where it has none, for ports change.
  func entries(of exporter: Exporter) -> [Entry] {
    if let own = exporters[exporter] { return own }
    let others = exporters.filter { $0.key.address == exporter.address }
    return others.max { ($0.value.map(\.seconds).max() ?? 0, $0.key.port) < ($1.value.map(\.seconds).max() ?? 0, $1.key.port) }?.value ?? []
  }

  /// Puts what a session has defined in the place of what is known of its exporter.
  public mutating func update(from session: Session) {
    guard let decoder = session.decoderState as? SessionDecoder else { return }
    let entries = decoder.archived()
    exporters[Exporter(session)] = entries.isEmpty ? nil : entries
  }

  /// Forgets what was defined before `seconds` since 1970.
  public mutating func forget(before seconds: UInt64) {
    exporters = exporters.compactMapValues { entries in
      let kept = entries.filter { $0.seconds >= seconds }
      return kept.isEmpty ? nil : kept
    }
  }

  public var text: String {
    let lines = exporters.flatMap { exporter, entries in entries.map { Self.line(exporter, $0) } }
    return lines.sorted().map { $0 + "\n" }.joined()
  }

  // MARK: Lines

  private static func line(_ exporter: Exporter, _ entry: Entry) -> String {
    let address = exporter.address.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    let definition = entry.definition
    let fields = definition.fields.map { ($0.enterprise == 0 ? "" : "\($0.enterprise)/") + "\($0.element):\($0.length)" }
    let scopes = definition.isOptions ? "\(definition.scopeCount)" : "-"
    return (["\(address)", "\(exporter.port)", "\(entry.domain.version)", "\(entry.domain.id)", "\(definition.id)", scopes, "\(entry.seconds)"]
      + fields).joined(separator: " ")
  }

  private static func read(_ line: Substring) -> (Exporter, Entry)? {
    let words = line.split(separator: " ")
    guard words.count > 7, let address = bytes(words[0]), let port = UInt16(words[1]), let version = UInt16(words[2]),
      version == Wire.version || version == Wire.version9, let domain = UInt32(words[3]), let id = UInt16(words[4]),
      id >= Wire.firstTemplate, let seconds = UInt64(words[6]), seconds < 1 << 33
    else { return nil }
    let fields = words[7...].compactMap { field($0) }
    let isOptions = words[5] != "-"
    guard fields.count == words.count - 7, let scopes = isOptions ? Int(words[5]) : 0, (0...fields.count).contains(scopes) else {
      return nil
    }
    let empty = fields.count { $0.length == 0 }
    guard empty < fields.count, empty <= 64 else { return nil }
    let definition = TemplateRecord(id: id, fields: fields, scopeCount: scopes, isOptions: isOptions)
    return (
      Exporter(address: address, port: port),
      Entry(domain: Domain.Key(version: version, id: domain), definition: definition, seconds: seconds)
    )
  }

  private static func bytes(_ text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 32 else { return nil }
    let bytes = stride(from: 0, to: 32, by: 2).compactMap { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) }
    return bytes.count == 16 ? bytes : nil
  }

  private static func field(_ text: Substring) -> TemplateRecord.Field? {
    let halves = text.split(separator: ":")
    guard halves.count == 2, let length = UInt16(halves[1]) else { return nil }
    let numbers = halves[0].split(separator: "/")
    guard let element = numbers.last.flatMap({ UInt16($0) }), numbers.count <= 2 else { return nil }
    guard let enterprise = numbers.count == 2 ? UInt32(numbers[0]) : 0 else { return nil }
    return TemplateRecord.Field(enterprise: enterprise, element: element, length: length)
  }
}
