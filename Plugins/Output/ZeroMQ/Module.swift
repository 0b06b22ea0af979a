// Plugin Output/ZeroMQ.
