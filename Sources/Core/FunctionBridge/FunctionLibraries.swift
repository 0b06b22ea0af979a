public import Builtins
internal import EventModel
public import PluginABI

extension FunctionCatalog {
  /// Adds the functions of libraries. Names that are there already are left out, and told.
  ///
  /// - Parameter libraries: checked by the host; they live as long as the process.
  /// - Returns: what could not be added, each with its reason.
  public mutating func add(_ libraries: [UnsafePointer<flowcep_function_library>]) -> [String] {
    var refused: [String] = []
    for library in libraries {
      let functions = UnsafeRawPointer(library.pointee.functions)
      for index in 0..<Int(library.pointee.function_count) {
        let place = functions?.advanced(by: index * Int(library.pointee.function_stride))
        guard let function = place?.assumingMemoryBound(to: flowcep_function.self) else { continue }
        let name = String(cString: function.pointee.name)
        if knows(name) {
          refused.append(
            "the function \"\(name)\" of the library \"\(String(cString: library.pointee.name))\" is left out: the name is taken")
        } else if function.pointee.call != nil {
          add(ScalarFunction(library: function))
        } else {
          add(AggregateFunction(library: function))
        }
      }
    }
    return refused
  }
}

/// What a function declares of its arguments and its result.
struct Signature: Sendable {
  let name: String
  let help: String
  let arguments: [UInt32]
  let arity: ClosedRange<Int>
  let result: UInt32

  init(_ function: UnsafePointer<flowcep_function>) {
    let raw = function.pointee
    name = String(cString: raw.name)
    help = raw.help.map { String(cString: $0) } ?? ""
    arguments = (0..<Int(raw.argument_count)).map { raw.arguments[$0] }
    arity = Int(raw.required_count)...max(Int(raw.required_count), Int(raw.argument_count))
    result = raw.result
  }

  /// The result's type where the arguments fit; checked when a module is read.
  func resultType(_ types: [ValueType]) -> ValueType? {
    guard types.count <= arguments.count, zip(types, arguments).allSatisfy({ Self.fits($0, $1) }) else { return nil }
    return Self.type(result)
  }

  private static func fits(_ type: ValueType, _ declared: UInt32) -> Bool {
    if type == .null { return true }
    switch Int(declared) {
    case FLOWCEP_VALUE_BOOLEAN: return type == .boolean
    case FLOWCEP_VALUE_INTEGER: return type.isInteger
    case FLOWCEP_VALUE_REAL: return type.isNumeric
    case FLOWCEP_VALUE_TEXT: return type.isText || type == .address
    case FLOWCEP_VALUE_ADDRESS: return type == .address || type == .string
    default: return type == .boolean || type.isNumeric || type.isText || type == .address
    }
  }

  private static func type(_ declared: UInt32) -> ValueType? {
    switch Int(declared) {
    case FLOWCEP_VALUE_BOOLEAN: .boolean
    case FLOWCEP_VALUE_INTEGER: .long
    case FLOWCEP_VALUE_REAL: .double
    case FLOWCEP_VALUE_TEXT: .string
    case FLOWCEP_VALUE_ADDRESS: .address
    default: nil
    }
  }
}
