/// The values of one instance, or of one group of it, typed and complete with defaults.
public final class OptionValues: Sendable {
  public struct Value: Sendable {
    /// As written, canonical for a choice, absolute for a path.
    public var text: String
    /// Integer, boolean (0 or 1), nanoseconds, bytes.
    public var integer: Int64
    public var real: Double
    public var group: OptionValues?
    /// Nil where the value is a default.
    public var place: Place?

    public init(text: String, integer: Int64 = 0, real: Double = 0, group: OptionValues? = nil, place: Place? = nil) {
      self.text = text
      self.integer = integer
      self.real = real
      self.group = group
      self.place = place
    }
  }

  public let values: [String: [Value]]

  public init(_ values: [String: [Value]] = [:]) {
    self.values = values
  }

  public subscript(_ name: String) -> [Value] { values[name] ?? [] }
  public func text(_ name: String) -> String? { self[name].first?.text }
  public func integer(_ name: String) -> Int64? { self[name].first?.integer }
  public func flag(_ name: String) -> Bool { integer(name) == 1 }

  /// Every value of this kind anywhere in here, groups included, by the table.
  public func all(_ kind: OptionRow.Kind, in table: [OptionRow]) -> [(row: OptionRow, value: Value)] {
    table.flatMap { row -> [(row: OptionRow, value: Value)] in
      if row.kind == kind { return self[row.name].map { (row, $0) } }
      guard row.kind == .group else { return [] }
      return self[row.name].flatMap { $0.group?.all(kind, in: row.members) ?? [] }
    }
  }
}
