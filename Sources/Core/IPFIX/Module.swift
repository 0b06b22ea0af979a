// Module IPFIX.
