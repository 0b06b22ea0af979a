/// What one session may take of the collector's memory and time.
public struct DecoderLimits: Sendable {
  /// Observation domains of a session; a message of a further one is discarded.
  public var domains = 1024
  /// Templates of a session, in all its domains together; a further one is left out.
  public var templates = 16384
  public var templatesPerDomain = 4096
  public var fieldsPerTemplate = 4096
  /// Fields of all of a session's templates together; a template beyond is left out.
  public var fields = 1 << 17
  /// Bytes of data sets that wait for their templates; the oldest give way.
  public var waitingBytes = 1 << 20
  /// How long they wait.
  public var waitingSeconds: UInt64 = 300
  /// Structured data inside structured data (RFC 6313), the outermost counted.
  public var listDepth = 4
  /// Elements that an exporter may describe (RFC 5610).
  public var describedElements = 4096
  /// Bytes, estimated, of what all sessions of a decoder remember together. Beyond, the peer that takes most loses what it has.
  public var totalBytes = 512 << 20
  /// Interfaces and samplers that are remembered of an exporter.
  public var facts = 4096

  public init() {}
}

/// What is done to records while they are decoded.
public struct DecoderOptions: Sendable, Equatable {
  /// Records whose times are relative to the exporter's start (flowStartSysUpTime, flowEndSysUpTime) get flowStartMilliseconds
  /// and flowEndMilliseconds as well, where it is known when that was.
  public var addsAbsoluteTimes = false
  /// A record of both directions (RFC 5103) becomes two of one direction each.
  public var splitsBiflows = false
  /// Over UDP, how long a definition is valid that is not repeated (RFC 7011 §8.4); nil: for as long as the session.
  public var templateLifetimeSeconds: UInt64?
  public var optionsTemplateLifetimeSeconds: UInt64?
  /// The same in messages of the session.
  public var templateLifetimeMessages: UInt64?
  public var optionsTemplateLifetimeMessages: UInt64?

  public init() {}

  var hasLifetimes: Bool {
    templateLifetimeSeconds != nil || optionsTemplateLifetimeSeconds != nil || templateLifetimeMessages != nil
      || optionsTemplateLifetimeMessages != nil
  }
}
