"""The page's server: it hands out static files, and tunnels a browser's MQTT connection to the broker.

It reads nothing of what passes: who somebody is, and what they may do, is between the browser and the broker.
"""
