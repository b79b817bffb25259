"""The bus over a real broker, by aiomqtt: connections, sessions, packets, and what NATS, one server or several, needs besides."""
