"""Whether a broker is one that jobplan can stand on: everything we assume of it, tried out under a topic of its own."""
