public import InformationElements
public import PluginABI
public import RecordBatch
import Synchronization

/// Turns buffers of packets into batches of records. One decoder is one worker: all packets of a session go to the same one.
public final class Decoder {
  private let registry: ElementRegistry
  private let limits: DecoderLimits
  private let options: DecoderOptions
  /// Of all sessions, since the decoder began.
  public private(set) var counts = DecodeCounts()

  private let budget: MemoryBudget
  private var sessions: [UInt64: WeakSession] = [:]
  private var liveSessions = 64

  private struct WeakSession {
    weak var decoder: SessionDecoder?
  }

  /// What exporters defined before the collector's start, over UDP; new sessions begin with it.
  public var archive: TemplateArchive? {
    didSet { kept = archive?.byAddress ?? [:] }
  }
  private var kept: [[UInt8]: KeptTemplates] = [:]

  private static let nextStamp = Atomic<UInt64>(1)

  public init(registry: ElementRegistry, limits: DecoderLimits = DecoderLimits(), options: DecoderOptions = DecoderOptions()) {
    self.registry = registry
    self.limits = limits
    self.options = options
    budget = MemoryBudget(limit: limits.totalBytes)
  }

  /// Decodes packets that lie in the batch's bytes. A message that cannot be decoded is counted, and the others are taken.
  ///
  /// - Parameters:
  ///   - packets: in the order of arrival; each with its session.
  ///   - notices: gets what is worth a line in the log.
  public func decode(
    _ packets: UnsafeBufferPointer<flowcep_packet>, into batch: BatchStorage,
    notices: (Session, [DecoderNotice]) -> Void = { _, _ in }
  ) {
    let stamp = Self.nextStamp.wrappingAdd(1, ordering: .relaxed).oldValue
    var index = 0
    while index < packets.count {
      guard let raw = packets[index].session else {
        index += 1
        continue
      }
      let session = Session.from(raw)
      let decoder = decoder(of: session)
      while index < packets.count, packets[index].session == raw {
        let packet = packets[index]
        index += 1
        guard Int(packet.offset) + Int(packet.length) <= batch.byteCount else { continue }
        decoder.decode(packet, into: batch, stamp: stamp)
      }
      if let account = decoder.account, account.set(decoder.weight) { makeRoom() }
      counts += decoder.takePending()
      let said = decoder.takeNotices()
      if !said.isEmpty { notices(session, said) }
    }
  }

  /// A session has ended: what still waits for its template is counted as undecodable.
  public func close(_ session: Session) {
    guard let decoder = session.decoderState as? SessionDecoder else { return }
    decoder.close()
    counts += decoder.takePending()
    // What it has counted is final: nobody takes anything from it any more.
    sessions[session.id] = nil
    decoder.account = nil
  }

  /// The session's own decoder, made at its first packet; it lives and ends with the session.
  public func decoder(of session: Session) -> SessionDecoder {
    if let known = session.decoderState as? SessionDecoder { return known }
    let new = SessionDecoder(transport: session.raw.pointee.transport, registry: registry, limits: limits, options: options)
    session.decoderState = new
    new.account = MemoryAccount(budget, session)
    remember(new, session)
    if session.raw.pointee.transport == UInt16(FLOWCEP_TRANSPORT_UDP), !kept.isEmpty {
      let exporter = TemplateArchive.Exporter(session)
      if let templates = kept[exporter.address] { new.restore(templates, port: exporter.port) }
    }
    return new
  }

  /// An estimate of the bytes that all sessions remember.
  public var rememberedBytes: Int { budget.total }

  private func remember(_ decoder: SessionDecoder, _ session: Session) {
    if sessions.count >= 2 * liveSessions {
      sessions = sessions.filter { $0.value.decoder != nil }
      liveSessions = max(64, sessions.count)
    }
    sessions[session.id] = WeakSession(decoder: decoder)
  }

  /// Sessions of the heaviest peer forget what they have, those first that take most for what they have sent, until there is room for a while:
  /// a look at all sessions must be rare.
  private func makeRoom() {
    var peers = Dictionary(grouping: sessions.values.compactMap(\.decoder)) { $0.account?.peer }.mapValues { decoders in
      (decoders: decoders.sorted { $0.weightOfAMessage < $1.weightOfAMessage }, bytes: decoders.reduce(0) { $0 + $1.weightCounted })
    }
    let enough = budget.limit - budget.limit / 8
    while budget.total > enough, let peer = peers.max(by: { $0.value.bytes < $1.value.bytes })?.key,
      let heaviest = peers[peer]?.decoders.popLast()
    {
      peers[peer]?.bytes -= heaviest.weightCounted
      heaviest.shed()
      counts += heaviest.takePending()
    }
  }
}
