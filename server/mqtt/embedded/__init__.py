"""The broker that pip brings, for trying out where no other is installed.

Runs as ``python -m server.mqtt.embedded``; up to about 200 nodes, MQTT 3.1.1, nothing kept over a
restart. What the library gets wrong and matters here is mended in ``broker``.
"""
