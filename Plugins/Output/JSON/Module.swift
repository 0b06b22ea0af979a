// Plugin Output/JSON.
