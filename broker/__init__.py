"""The bus: topics, the port to a broker, its adapters, and the life of a node on it."""
