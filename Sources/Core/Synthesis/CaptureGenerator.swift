/// What a synthetic capture is to hold.
public struct SynthesisOptions: Sendable {
  public var seed: UInt64 = 1
  /// Data records, scripted ones included.
  public var records = 20_000
  public var durationSeconds = 600
  /// When the capture begins, in seconds since 1970.
  public var start: UInt32 = 1_700_000_000
  /// Attackers; every second one comes by IPv6.
  public var attacks = 2
  public var observationDomain: UInt32 = 1

  public init() {}
}

/// Why a capture cannot be made as asked.
public struct SynthesisError: Error, CustomStringConvertible {
  public let description: String
}

/// What was written.
public struct SynthesisTotals: Sendable {
  public var records: Int
  public var messages: Int
  public var bytes: Int
}

/// Makes an IPFIX capture (RFC 5655: messages one after the other) from a seed: a multi-stage attack amid everyday traffic.
///
/// Records are in order of export, which is 0.9 to 21 s after the flow's end, so flow ends are out of order by up to 20 s.
/// Equal options give equal bytes.
public struct CaptureGenerator {
  private let options: SynthesisOptions
  private let scenario: Scenario
  public let truth: GroundTruth

  /// - Throws: ``SynthesisError`` where the capture is too short, or has too few records, for what is to be in it.
  public init(_ options: SynthesisOptions) throws(SynthesisError) {
    guard options.durationSeconds >= 60, options.durationSeconds <= 864_000 else {
      throw SynthesisError(description: "a capture lasts 60 to 864,000 seconds, not \(options.durationSeconds)")
    }
    guard options.attacks >= 0, options.attacks <= 200 else {
      throw SynthesisError(description: "a capture has 0 to 200 attacks, not \(options.attacks)")
    }
    if options.attacks > 0, options.durationSeconds < Scenario.shortestWithAttack {
      throw SynthesisError(
        description: "an attack needs a capture of at least \(Scenario.shortestWithAttack) seconds, not \(options.durationSeconds)")
    }
    let scenario = Scenario(options: options)
    guard options.records >= scenario.flows.count, options.records <= 4_000_000_000 else {
      throw SynthesisError(
        description: "the attacks and decoys alone need \(scenario.flows.count) records, more than the \(options.records) asked for")
    }
    self.options = options
    self.scenario = scenario
    truth = GroundTruth(
      seed: options.seed, start: UInt64(options.start) * 1000, durationSeconds: options.durationSeconds, records: options.records,
      attacks: scenario.attacks, decoys: scenario.decoys)
  }

  /// Writes the whole capture.
  ///
  /// - Parameters:
  ///   - progress: called now and then with the records made so far.
  ///   - sink: takes whole messages, about a megabyte at a time; the memory is valid during the call.
  /// - Throws: what `sink` throws.
  @discardableResult
  public func write(
    progress: (Int) -> Void = { _ in }, to sink: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws -> SynthesisTotals {
    let writer = MessageWriter(domain: options.observationDomain, sink: sink)
    var delays = SeededRandom(seed: options.seed ^ 0x6465_6C61_7973_2121)
    let scripted = scenario.flows.map { (export: $0.end + CaptureGenerator.delay(&delays), flow: $0) }
      .enumerated().sorted { ($0.element.export, $0.offset) < ($1.element.export, $1.offset) }.map(\.element)
    let count = UInt64(options.records - scripted.count)
    let duration = UInt64(options.durationSeconds) * 1000
    // The first record leaves the exporter when a flow that ended at the start may be on its way at the latest.
    let begin = UInt64(options.start) * 1000 + 20_000
    var background = Background(seed: options.seed, flowsPerMinute: options.records * 60 / options.durationSeconds)

    var next = 0
    for index in 0..<count {
      let export = begin + index * duration / count
      while next < scripted.count, scripted[next].export <= export {
        try writer.append(scripted[next].flow, exportSecond: CaptureGenerator.second(scripted[next].export))
        next += 1
      }
      try writer.append(
        background.flow(endingAt: export - CaptureGenerator.delay(&delays)), exportSecond: CaptureGenerator.second(export))
      if index & 0xFFFF == 0xFFFF { progress(Int(index) + next) }
    }
    for (export, flow) in scripted[next...] { try writer.append(flow, exportSecond: CaptureGenerator.second(export)) }
    try writer.finish()
    progress(options.records)
    return SynthesisTotals(records: options.records, messages: writer.messages, bytes: writer.bytes)
  }

  /// Between a flow's end and its export: 0.9 to 20 s, most often about 10.
  @inline(__always) private static func delay(_ random: inout SeededRandom) -> UInt64 {
    900 + random.below(9_500 as UInt64) + random.below(9_500 as UInt64)
  }

  /// A message's export time is the whole second at or after its last record's.
  @inline(__always) private static func second(_ export: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: (export + 999) / 1000) }
}
