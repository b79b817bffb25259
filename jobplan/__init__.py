"""The front door: command line, client library, demo. It may import every other package, and none imports it."""

__version__ = "0.1.0"
