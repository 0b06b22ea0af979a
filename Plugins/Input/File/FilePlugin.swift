public import PluginABI
import PluginKit

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  inputEntry(hostVersion, FileOptions.description) { host, options throws(PluginError) in FileInput(host, options) }
}
