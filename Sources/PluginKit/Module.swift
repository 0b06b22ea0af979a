// Module PluginKit.
