// Module InformationElements.
