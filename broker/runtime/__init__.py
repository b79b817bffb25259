"""The life of a node on the bus: save, show, perform; one driver for every node."""
