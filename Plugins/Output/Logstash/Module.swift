// Plugin Output/Logstash.
