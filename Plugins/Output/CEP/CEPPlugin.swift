public import PluginABI
import PluginKit

@c @implementation
public func flowcep_plugin_entry(_ hostVersion: UInt32) -> UnsafePointer<flowcep_plugin>! {
  let description = PluginDescription(
    name: "cep", summary: "Runs EPL statements over flow records and gives their rows out as records.", options: CEPOptions.table
  ) { host, options throws(PluginError) in try Modules.validate(host, options) }
  return outputEntry(hostVersion, description) { host, options throws(PluginError) in try CEPOutput(host, options) }
}
