// Module Plan.
