public import EventModel

extension Builtins {
  /// The constants of Java's number classes, by their names.
  public static let javaConstants: [String: (value: Value, type: ValueType)] = [
    "Integer.MAX_VALUE": (.int(Int64(Int32.max)), .int), "Integer.MIN_VALUE": (.int(Int64(Int32.min)), .int),
    "Long.MAX_VALUE": (.int(.max), .long), "Long.MIN_VALUE": (.int(.min), .long),
    "Short.MAX_VALUE": (.int(Int64(Int16.max)), .short), "Short.MIN_VALUE": (.int(Int64(Int16.min)), .short),
    "Byte.MAX_VALUE": (.int(Int64(Int8.max)), .byte), "Byte.MIN_VALUE": (.int(Int64(Int8.min)), .byte),
    "Double.MAX_VALUE": (.double(.greatestFiniteMagnitude), .double), "Double.MIN_VALUE": (.double(.leastNonzeroMagnitude), .double),
    "Double.NaN": (.double(.nan), .double), "Double.POSITIVE_INFINITY": (.double(.infinity), .double),
    "Double.NEGATIVE_INFINITY": (.double(-.infinity), .double), "Math.PI": (.double(.pi), .double),
    "Math.E": (.double(2.718281828459045), .double),
    "Boolean.TRUE": (.bool(true), .boolean), "Boolean.FALSE": (.bool(false), .boolean),
  ]
}
