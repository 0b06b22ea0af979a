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
  public static let mostExporters = 8192
  /// Of all of them together.
  public static let mostFields = 1 << 19

  private var exporters: [Exporter: [Entry]] = [:]

  public init() {}

  public init(_ text: String) { self.init([text]) }

  /// What texts say, of two that say it of one template the younger; lines that say nothing sensible are left out, and a last one that is not
  /// whole.
  public init(_ texts: [String]) {
    var places: [Key: Int] = [:]
    let lines = texts.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }
    for line in lines.suffix(Self.mostLines) {
      guard let (exporter, entry) = Self.read(line) else { continue }
      let key = Key(exporter: exporter, domain: entry.domain, id: entry.definition.id)
      if let place = places[key] {
        if let known = exporters[exporter]?[place], known.seconds > entry.seconds { continue }
        exporters[exporter]?[place] = entry
      } else {
        places[key] = exporters[exporter]?.count ?? 0
        exporters[exporter, default: []].append(entry)
      }
    }
  }

  private struct Key: Hashable {
    var exporter: Exporter
    var domain: Domain.Key
    var id: UInt16
  }

  public var isEmpty: Bool { exporters.isEmpty }

  /// What is kept of each address.
  var byAddress: [[UInt8]: KeptTemplates] {
    var ports: [[UInt8]: [UInt16: [Entry]]] = [:]
    for (exporter, entries) in exporters { ports[exporter.address, default: [:]][exporter.port] = entries }
    return ports.mapValues(KeptTemplates.init)
  }

  /// Forgets what is too much, and a little more: of the address with most exporters, the one that has been quiet longest.
  public mutating func bound(exporters most: Int = mostExporters, fields mostFields: Int = mostFields) {
    var fields = exporters.values.reduce(0) { $0 + Self.fields($1) }
    guard exporters.count > most || fields > mostFields else { return }
    let newest = exporters.mapValues { $0.map(\.seconds).max() ?? 0 }
    // The youngest first.
    var byAddress = Dictionary(grouping: exporters.keys) { $0.address }.mapValues { ports in
      ports.sorted { (newest[$0] ?? 0, $0.port) > (newest[$1] ?? 0, $1.port) }
    }
    while exporters.count > most - most / 8 || fields > mostFields - mostFields / 8,
      let heaviest = byAddress.max(by: { $0.value.count < $1.value.count })?.key, let oldest = byAddress[heaviest]?.popLast()
    {
      fields -= exporters.removeValue(forKey: oldest).map(Self.fields) ?? 0
    }
  }

  private static func fields(_ entries: [Entry]) -> Int { entries.reduce(0) { $0 + $1.definition.fields.count } }

  /// Puts what a session has defined in the place of what is known of its exporter.
  ///
  /// - Parameter onlyIfChanged: leaves out a session that has defined and lost nothing since.
  public mutating func update(from session: Session, onlyIfChanged: Bool = false) {
    guard let decoder = session.decoderState as? SessionDecoder, !onlyIfChanged || decoder.hasNewDefinitions else { return }
    decoder.hasNewDefinitions = false
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
    return
      (["\(address)", "\(exporter.port)", "\(entry.domain.version)", "\(entry.domain.id)", "\(definition.id)", scopes, "\(entry.seconds)"]
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
    guard TemplateRecord.isSound(fields) else { return nil }
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
