public import PluginABI
import PluginKit

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  inputEntry(hostVersion, TCPOptions.description) { host, options throws(PluginError) in try TCPInput(host, options) }
}
