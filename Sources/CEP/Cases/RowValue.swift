internal import EventModel

/// Values between a case's JSON and the engine.
enum RowValue {
  /// A row as a map, with further fields behind its columns.
  static func of(_ row: Event, and fields: [(name: String, value: Value)] = []) -> Value {
    .map(ValueMap(zip(row.type.properties, row.values).map { ($0.name, of($1)) } + fields.map { ($0.name, $0.value) }))
  }

  private static func of(_ value: Value) -> Value {
    switch value {
    case .event(let event): of(event)
    case .array(let array): .array(array.values.map { of($0) })
    default: value
    }
  }

  static func property(_ index: Int, of type: EventType, _ values: ValueMap) -> Value {
    let property = type.properties[index]
    return converted(values[property.name], to: property.type)
  }

  /// The value as the declared type holds it; one that does not fit stays as it is, and fails where it is used.
  static func converted(_ value: Value, to type: ValueType) -> Value {
    switch (type, value) {
    case (_, .null): .null
    case (.event(let type), .map(let map)):
      .event(Event.make(type, time: 0, type.properties.indices.map { property($0, of: type, map) }))
    case (.array(let element), .array(let array)): .array(array.values.map { converted($0, to: element) })
    case (.address, .string): Address(value)?.value ?? value
    case (.int, .int(let number)): .int(Int64(Int32(truncatingIfNeeded: number)))
    case (.short, .int(let number)): .int(Int64(Int16(truncatingIfNeeded: number)))
    case (.byte, .int(let number)): .int(Int64(Int8(truncatingIfNeeded: number)))
    case (.float, .int(let number)): .double(Double(Float(number)))
    case (.float, .double(let number)): .double(Double(Float(number)))
    case (.double, .int(let number)), (.bigDecimal, .int(let number)): .double(Double(number))
    default: value
    }
  }
}
