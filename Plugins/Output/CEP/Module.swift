// Plugin Output/CEP.
