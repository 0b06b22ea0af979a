// Count
