"""The bus over a real broker, by aiomqtt: connections, sessions, packets, and what a broker of several servers needs besides."""
