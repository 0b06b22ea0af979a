public import PluginABI
import RecordBatch

/// What the library's `flowcep_plugin_entry` returns for an input:
///
///     @c @implementation
///     public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
///       inputEntry(hostVersion, XOptions.description) { host, options throws(PluginError) in try XInput(host, options) }
///     }
public func inputEntry(
  _ hostVersion: UInt32, _ description: PluginDescription,
  create: @escaping (Host, Options) throws(PluginError) -> any InputPlugin
) -> UnsafePointer<flowcep_plugin>? {
  entry(hostVersion, UInt32(FLOWCEP_KIND_INPUT), description) { host, options throws(PluginError) in .input(try create(host, options)) }
}

/// What the library's `flowcep_plugin_entry` returns for an intermediate.
public func intermediateEntry(
  _ hostVersion: UInt32, _ description: PluginDescription,
  create: @escaping (Host, Options) throws(PluginError) -> any IntermediatePlugin
) -> UnsafePointer<flowcep_plugin>? {
  entry(hostVersion, UInt32(FLOWCEP_KIND_INTERMEDIATE), description) { host, options throws(PluginError) in
    .intermediate(try create(host, options))
  }
}

/// What the library's `flowcep_plugin_entry` returns for an output.
public func outputEntry(
  _ hostVersion: UInt32, _ description: PluginDescription,
  create: @escaping (Host, Options) throws(PluginError) -> any OutputPlugin
) -> UnsafePointer<flowcep_plugin>? {
  entry(hostVersion, UInt32(FLOWCEP_KIND_OUTPUT), description) { host, options throws(PluginError) in .output(try create(host, options)) }
}

enum Role {
  case input(any InputPlugin)
  case intermediate(any IntermediatePlugin)
  case output(any OutputPlugin)
}

private struct Registration {
  let plugin: UnsafePointer<flowcep_plugin>
  let create: (Host, Options) throws(PluginError) -> Role
  let validate: ((Host, Options) throws(PluginError) -> Void)?
}

/// Of this library alone: a `.so` carries its own copy of PluginKit. Written once, by [main], before any instance exists.
nonisolated(unsafe) private var registration: Registration?

private func entry(
  _ hostVersion: UInt32, _ kind: UInt32, _ description: PluginDescription,
  create: @escaping (Host, Options) throws(PluginError) -> Role
) -> UnsafePointer<flowcep_plugin>? {
  guard hostVersion >= UInt32(FLOWCEP_ABI_VERSION) else { return nil }
  if let registration { return registration.plugin }
  let plugin = UnsafeMutablePointer<flowcep_plugin>.allocate(capacity: 1)
  plugin.initialize(
    to: flowcep_plugin(
      struct_size: UInt32(MemoryLayout<flowcep_plugin>.size), abi_version: UInt32(FLOWCEP_ABI_VERSION), kind: kind,
      option_count: UInt32(description.options.count), name: makeStaticText(description.name),
      version: makeStaticText(description.version), summary: makeStaticText(description.summary), toolchain: flowcep_toolchain(),
      options: description.options.makeStatic(), option_stride: UInt32(MemoryLayout<flowcep_option>.stride), reserved: 0,
      create: createInstance, validate: description.validate == nil ? nil : validateOptions))
  registration = Registration(plugin: UnsafePointer(plugin), create: create, validate: description.validate)
  return UnsafePointer(plugin)
}

private func createInstance(
  _ raw: UnsafePointer<flowcep_host>?, _ values: OpaquePointer?
) -> UnsafeMutablePointer<flowcep_instance>? {
  guard let raw, let registration else { return nil }
  let host = Host(raw)
  do throws(PluginError) {
    return makeInstance(try registration.create(host, Options(host: raw, values: values)), host)
  } catch {
    raw.pointee.set_error(raw, error.message)
    return nil
  }
}

private func validateOptions(_ raw: UnsafePointer<flowcep_host>?, _ values: OpaquePointer?) -> flowcep_status {
  guard let raw, let validate = registration?.validate else { return FLOWCEP_OK_STATUS }
  do throws(PluginError) {
    try validate(Host(raw), Options(host: raw, values: values))
    return FLOWCEP_OK_STATUS
  } catch {
    raw.pointee.set_error(raw, error.message)
    return flowcep_status(FLOWCEP_FAILED)
  }
}
