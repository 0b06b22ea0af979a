import CLinux
import Configuration
import Glibc
public import PluginABI

/// A library of functions for EPL, loaded and found fit. Never unloaded.
public struct FunctionLibrary: @unchecked Sendable {
  public let path: String
  public let name: String
  public let raw: UnsafePointer<flowcep_function_library>

  public var version: String { raw.pointee.version.map { String(cString: $0) } ?? "" }
  public var summary: String { raw.pointee.summary.map { String(cString: $0) } ?? "" }

  private typealias Entry = @convention(c) (UInt32) -> UnsafePointer<flowcep_function_library>?
  private static let mostFunctions = 1000
  private static let mostArguments = 16

  /// All libraries of functions in the folders of plugins, and why others cannot be used.
  public static func all(_ finder: PluginFinder) -> (libraries: [FunctionLibrary], faults: [String]) {
    var (libraries, faults): ([FunctionLibrary], [String]) = ([], [])
    for (name, path) in finder.functionLibraries {
      do throws(PluginUnavailable) { libraries.append(try FunctionLibrary(path: path, name: name)) } catch { faults.append(error.reason) }
    }
    return (libraries, faults)
  }

  init(path: String, name: String) throws(PluginUnavailable) {
    func unfit(_ reason: String) -> PluginUnavailable { PluginUnavailable(isMissing: false, reason: "\(path): \(reason)") }
    let previous = flowcep_enter_plugin(strdup("functions \"\(name)\", \(path), while it is loaded"))
    defer { flowcep_leave_plugin(previous) }
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw unfit(dlerror().map { String(cString: $0) } ?? "it cannot be loaded")
    }
    guard let symbol = dlsym(handle, "flowcep_functions_entry") else { throw unfit("it exports no flowcep_functions_entry") }
    let ours = UInt32(FLOWCEP_ABI_VERSION)
    guard let library = unsafeBitCast(symbol, to: Entry.self)(ours) else {
      throw unfit("it does not serve plugin ABI version \(ours), this program's")
    }
    if let fault = Self.fault(library.pointee, name) { throw unfit(fault) }
    (self.path, self.name, raw) = (path, name, library)
  }

  private static func fault(_ library: flowcep_function_library, _ name: String) -> String? {
    if library.abi_version != UInt32(FLOWCEP_ABI_VERSION) { return "it is built for plugin ABI version \(library.abi_version)" }
    if Int(library.struct_size) != MemoryLayout<flowcep_function_library>.size { return "its descriptor has \(library.struct_size) bytes" }
    guard let said = library.name, String(cString: said) == name else { return "it says that it has another name than \"\(name)\"" }
    guard let functions = library.functions, library.function_count > 0, library.function_count <= mostFunctions else {
      return "it has no functions, or more than \(mostFunctions)"
    }
    guard Int(library.function_stride) == MemoryLayout<flowcep_function>.stride else { return "its functions have another size" }
    return (0..<Int(library.function_count)).lazy.compactMap { fault(functions[$0], number: $0 + 1) }.first
  }

  private static func fault(_ function: flowcep_function, number: Int) -> String? {
    guard let name = function.name.map({ String(cString: $0) }), isName(name) else {
      return "its function \(number) has no name that EPL could write"
    }
    if Int(function.struct_size) != MemoryLayout<flowcep_function>.size { return "\(name) has \(function.struct_size) bytes" }
    guard function.argument_count <= mostArguments, function.required_count <= function.argument_count,
      function.argument_count == 0 || function.arguments != nil
    else { return "\(name) has arguments that make no sense" }
    let types = (0..<Int(function.argument_count)).map { Int(function.arguments[$0]) }
    guard types.allSatisfy({ (FLOWCEP_VALUE_NULL...FLOWCEP_VALUE_ADDRESS).contains($0) }),
      (FLOWCEP_VALUE_BOOLEAN...FLOWCEP_VALUE_ADDRESS).contains(Int(function.result))
    else { return "\(name) declares a type that there is not" }
    if function.call != nil { return function.open == nil ? nil : "\(name) is both a function and an aggregate" }
    guard function.open != nil, function.close != nil, function.enter != nil, function.clear != nil, function.value != nil else {
      return "\(name) has neither call nor all of open, close, enter, clear and value"
    }
    return function.required_count == 0 ? "\(name) is an aggregate of nothing" : nil
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, isLetter(first), name.utf8.count <= 64 else { return false }
    return name.utf8.allSatisfy { isLetter($0) || (48...57).contains($0) || $0 == 95 }
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }

  /// `shannon(text) → real`.
  public var signatures: [String] {
    let words = ["any", "boolean", "integer", "real", "text", "address"]
    return (0..<Int(raw.pointee.function_count)).map { number in
      let function = raw.pointee.functions[number]
      let arguments = (0..<Int(function.argument_count)).map { index in
        words[Int(function.arguments[index])] + (index >= Int(function.required_count) ? "?" : "")
      }
      let help = function.help.map { ": " + String(cString: $0) } ?? ""
      return "\(String(cString: function.name))(\(arguments.joined(separator: ", "))) → \(words[Int(function.result)])\(help)"
    }
  }
}

/// The libraries of functions as the extension `flowcep.functions/1` gives them; loaded when first asked for, and kept.
final class FunctionList: @unchecked Sendable {
  let raw: UnsafePointer<flowcep_function_libraries>
  let faults: [String]

  init(_ finder: PluginFinder) {
    let (libraries, faults) = FunctionLibrary.all(finder)
    let pointers = UnsafeMutablePointer<UnsafePointer<flowcep_function_library>?>.allocate(capacity: max(1, libraries.count))
    for (index, library) in libraries.enumerated() { (pointers + index).initialize(to: library.raw) }
    let list = UnsafeMutablePointer<flowcep_function_libraries>.allocate(capacity: 1)
    list.initialize(
      to: flowcep_function_libraries(
        struct_size: UInt32(MemoryLayout<flowcep_function_libraries>.size), reserved: 0, library_count: libraries.count,
        libraries: UnsafePointer(pointers)))
    raw = UnsafePointer(list)
    self.faults = faults
  }
}
