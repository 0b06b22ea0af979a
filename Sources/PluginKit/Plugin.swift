public import RecordBatch

/// An input: waits, receives, emits. Every method is called by the instance's own thread but for `start` and `stop`.
public protocol InputPlugin: AnyObject {
  /// Opens files and sockets; listens when it returns.
  func start() throws(PluginError)
  /// Waits at most `timeoutMilliseconds`, receives, emits. False: nothing more will come.
  func poll(timeoutMilliseconds: Int) throws(PluginError) -> Bool
  /// The thread has ended. Closes files and sockets.
  func stop()
}

/// An intermediate: passes on what it is given, changed or not, with `host.emit`.
public protocol IntermediatePlugin: AnyObject {
  func start() throws(PluginError)
  /// A batch of records. What is not emitted must be counted as dropped.
  func process(_ batch: Batch) throws(PluginError)
  /// A session that opens or closes, a tick, the end; passes on by itself.
  func handle(_ event: Batch) throws(PluginError)
  func stop()
}

/// An output: the end of a record's path.
public protocol OutputPlugin: AnyObject {
  func start() throws(PluginError)
  /// A batch of records.
  func process(_ batch: Batch) throws(PluginError)
  /// A session that opens or closes, a tick (once a second), the end.
  func handle(_ event: Batch) throws(PluginError)
  /// No batch is waiting: a moment to flush.
  func idle() throws(PluginError)
  func stop()
}

extension InputPlugin {
  public func start() throws(PluginError) {}
  public func stop() {}
}

extension IntermediatePlugin {
  public func start() throws(PluginError) {}
  public func handle(_ event: Batch) throws(PluginError) {}
  public func stop() {}
}

extension OutputPlugin {
  public func start() throws(PluginError) {}
  public func handle(_ event: Batch) throws(PluginError) {}
  public func idle() throws(PluginError) {}
  public func stop() {}
}

/// What a plugin library says of itself.
public struct PluginDescription {
  public var name: String
  public var version: String
  /// One sentence.
  public var summary: String
  public var options: [Option]
  /// Checks what the option table cannot say; reports mistakes through the host. Opens no socket, starts no thread.
  public var validate: ((Host, Options) throws(PluginError) -> Void)?

  public init(
    name: String, version: String = "1.0.0", summary: String, options: [Option],
    validate: ((Host, Options) throws(PluginError) -> Void)? = nil
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.options = options
    self.validate = validate
  }
}
