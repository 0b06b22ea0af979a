// Module PluginHost.
