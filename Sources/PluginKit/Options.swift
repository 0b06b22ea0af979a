import PluginABI

/// One instance's option values, checked by the host against the plugin's table.
public struct Options {
  private let host: UnsafePointer<flowcep_host>
  private let values: OpaquePointer?

  init(host: UnsafePointer<flowcep_host>, values: OpaquePointer?) {
    self.host = host
    self.values = values
  }

  /// How many values the option has; a default counts as one.
  public func count(_ option: String) -> Int { host.pointee.value_count(host, values, option) }

  /// The value of a text, address, prefix, choice, path or process; nil where there is none.
  public func text(_ option: String, at index: Int = 0) -> String? {
    host.pointee.value_text(host, values, option, index).map { String(cString: $0) }
  }

  public func texts(_ option: String) -> [String] { (0..<count(option)).compactMap { text(option, at: $0) } }

  /// The value of an integer, boolean (0, 1), duration (nanoseconds) or number of bytes; nil where there is none.
  public func integer(_ option: String, at index: Int = 0) -> Int? {
    count(option) > index ? Int(host.pointee.value_integer(host, values, option, index)) : nil
  }

  public func boolean(_ option: String) -> Bool { integer(option).map { $0 != 0 } ?? false }

  public func real(_ option: String, at index: Int = 0) -> Double? {
    count(option) > index ? host.pointee.value_real(host, values, option, index) : nil
  }

  public func group(_ option: String, at index: Int = 0) -> Options? {
    host.pointee.value_group(host, values, option, index).map { Options(host: host, values: $0) }
  }

  public func groups(_ option: String) -> [Options] { (0..<count(option)).compactMap { group(option, at: $0) } }

  /// Where a value stands: file, line, column; nil for a default.
  public func place(_ option: String, at index: Int = 0) -> (file: String, line: Int, column: Int)? {
    let place = host.pointee.value_place(host, values, option, index)
    guard let file = place.file else { return nil }
    return (String(cString: file), Int(place.line), Int(place.column))
  }
}
