// Module Collector.
