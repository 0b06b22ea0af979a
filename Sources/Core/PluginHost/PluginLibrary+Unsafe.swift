import CLinux
public import Configuration
import Glibc
import PluginABI

/// A plugin's library, loaded and found fit. Never unloaded: its code and texts may be referred to until the process ends.
public final class PluginLibrary: @unchecked Sendable {
  public let path: String
  public let table: PluginTable
  public let version: String
  public let summary: String
  let descriptor: UnsafePointer<flowcep_plugin>

  private typealias Entry = @convention(c) (UInt32) -> UnsafePointer<flowcep_plugin>?

  /// Loads a library, asks for its descriptor and checks that.
  init(path: String, kind: PluginKind, name: String) throws(PluginUnavailable) {
    func unfit(_ reason: String) -> PluginUnavailable { PluginUnavailable(isMissing: false, reason: "\(path): \(reason)") }
    let label = strdup("\(kind.name) \"\(name)\", \(path), while it is loaded")
    let previous = flowcep_enter_plugin(label)
    defer { flowcep_leave_plugin(previous) }
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else { throw unfit(Self.loaderMessage(without: path)) }
    guard let symbol = dlsym(handle, "flowcep_plugin_entry") else { throw unfit("it exports no flowcep_plugin_entry") }
    let ours = UInt32(FLOWCEP_ABI_VERSION)
    guard let plugin = unsafeBitCast(symbol, to: Entry.self)(ours) else {
      throw unfit("it does not serve plugin ABI version \(ours), this collector's")
    }
    guard plugin.pointee.abi_version == ours else {
      throw unfit("it is built for plugin ABI version \(plugin.pointee.abi_version), this collector's is \(ours)")
    }
    let expected = MemoryLayout<flowcep_plugin>.size
    guard plugin.pointee.struct_size == expected else {
      throw unfit("its descriptor has \(plugin.pointee.struct_size) bytes, expected \(expected)")
    }
    if let toolchain = plugin.pointee.toolchain, strcmp(toolchain, flowcep_toolchain()) != 0 {
      throw unfit(
        "it is built by the Swift compiler \(String(cString: toolchain)), this collector by \(String(cString: flowcep_toolchain()))")
    }
    guard plugin.pointee.kind == kind.rawValue, let said = plugin.pointee.name, String(cString: said) == name else {
      let said = plugin.pointee.name.map { String(cString: $0) } ?? ""
      let saidKind = PluginKind(rawValue: plugin.pointee.kind)?.name ?? "kind \(plugin.pointee.kind)"
      throw unfit("it says that it is \(saidKind) \"\(said)\", expected \(kind.name) \"\(name)\"")
    }
    guard plugin.pointee.create != nil else { throw unfit("its descriptor has no create") }
    switch OptionTable.rows(of: plugin.pointee) {
    case .success(let rows): table = PluginTable(kind: kind, name: name, options: rows)
    case .failure(let fault): throw unfit(fault.reason)
    }
    self.path = path
    descriptor = plugin
    version = plugin.pointee.version.map { String(cString: $0) } ?? ""
    summary = plugin.pointee.summary.map { String(cString: $0) } ?? ""
  }

  /// The dynamic loader's reason, without the path that it begins with.
  private static func loaderMessage(without path: String) -> String {
    guard let text = dlerror() else { return "it cannot be loaded" }
    let message = String(cString: text)
    return message.hasPrefix(path + ": ") ? String(message.dropFirst(path.count + 2)) : message
  }
}
