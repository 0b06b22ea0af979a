/// What an exporter's options records (and headers) say about itself, by observation domain.
public struct ExporterFacts: Sendable, Equatable {
  public struct Interface: Sendable, Equatable {
    public internal(set) var name = ""
    public internal(set) var description = ""
  }

  public struct Sampling: Sendable, Equatable {
    /// Of so many packets, one is taken; 0 where it is not said.
    public internal(set) var interval: UInt64 = 0
    /// selectorAlgorithm, samplingAlgorithm or flowSamplerMode, as sent.
    public internal(set) var algorithm: UInt64?
  }

  /// When the exporter began, in milliseconds since 1970.
  public internal(set) var systemInitMilliseconds: UInt64?
  /// By ingressInterface or egressInterface.
  public internal(set) var interfaces: [UInt64: Interface] = [:]
  /// By selectorId or samplerId; 0 where there is none.
  public internal(set) var samplings: [UInt64: Sampling] = [:]

  var count: Int { interfaces.count + samplings.count }
}

/// An element that an exporter describes (RFC 5610), its type left as it was sent.
struct ElementDescription {
  var enterprise: UInt64 = 0
  var id: UInt64?
  var type: UInt64?
  var semantics: UInt64 = 0
  var name = ""
}

/// One options record's values that matter here.
struct OptionsRecord {
  private(set) var numbers: [UInt16: UInt64] = [:]
  private(set) var texts: [UInt16: String] = [:]

  /// IANA's elements that are numbers, and those that are texts.
  private static let numberElements: Set<UInt16> = [
    10, 14, 34, 35, 48, 49, 50, 160, 302, 303, 304, 305, 306, 309, 310, 339, 344, 346,
  ]
  private static let textElements: Set<UInt16> = [82, 83, 341]

  static func matters(_ definition: TemplateRecord) -> Bool {
    definition.fields.contains { $0.enterprise == 0 && (numberElements.contains($0.element) || textElements.contains($0.element)) }
  }

  /// The first value of each element; a longer text than anybody needs is cut.
  mutating func add(_ element: UInt16, _ value: UnsafeRawBufferPointer) {
    if Self.numberElements.contains(element) {
      guard value.count <= 8, numbers[element] == nil else { return }
      numbers[element] = value.reduce(0) { $0 << 8 | UInt64($1) }
    } else if Self.textElements.contains(element), texts[element] == nil {
      texts[element] = String(decoding: value.prefix(256).prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// What it says of an element; nil where it is no such record.
  var description: ElementDescription? {
    guard let id = numbers[303], let name = texts[341], let type = numbers[339] else { return nil }
    return ElementDescription(enterprise: numbers[346] ?? 0, id: id, type: type, semantics: numbers[344] ?? 0, name: name)
  }
}

extension ExporterFacts {
  /// - Parameter limit: so many interfaces and samplers there may be.
  mutating func take(_ record: OptionsRecord, limit: Int) {
    if let start = record.numbers[160] { systemInitMilliseconds = start }
    if let interface = record.numbers[10] ?? record.numbers[14], record.texts[82] != nil || record.texts[83] != nil,
      interfaces[interface] != nil || count < limit
    {
      if let name = record.texts[82] { interfaces[interface, default: Interface()].name = name }
      if let text = record.texts[83] { interfaces[interface, default: Interface()].description = text }
    }
    takeSampling(record, limit)
  }

  /// What a header of NetFlow 5 says; `sampling` is two bits of mode and an interval.
  mutating func take5(boot: Int64, sampling: UInt16) {
    systemInitMilliseconds = UInt64(max(0, boot))
    if sampling != 0 { samplings[0] = Sampling(interval: UInt64(sampling & 0x3fff), algorithm: UInt64(sampling >> 14)) }
  }

  private mutating func takeSampling(_ record: OptionsRecord, _ limit: Int) {
    let numbers = record.numbers
    var sampling = Sampling()
    if let taken = numbers[305], taken > 0 {
      sampling.interval = (taken &+ (numbers[306] ?? 0)) / taken
    } else if let size = numbers[309], size > 0, let population = numbers[310] {
      sampling.interval = population / size
    } else if let interval = numbers[34] ?? numbers[50] {
      sampling.interval = interval
    }
    sampling.algorithm = numbers[304] ?? numbers[35] ?? numbers[49]
    guard sampling != Sampling() else { return }
    let id = numbers[302] ?? numbers[48] ?? 0
    if samplings[id] != nil || count < limit { samplings[id] = sampling }
  }
}
